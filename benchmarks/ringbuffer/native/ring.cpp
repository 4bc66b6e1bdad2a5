// The ring of packages/ringbuffer in C++: same layout, same batching, in place at both ends. The anchor for
// what the hardware gives. Prints the best decile of windows, in ns per message, or the median round trip in ns.
//   g++ -O3 -march=native -std=c++20 -pthread ring.cpp -o ring
//   ./ring copy 64 3000000     copies payloads in
//   ./ring claim 64 3000000    writes header and first word only, published and released as the row in place does
//   ./ring claimsc 64 3000000  the same with the only loads and stores that JavaScript has, sequentially consistent
//   ./ring trip 64 300000      the index and one record of a message in flight, there and back; trip99: its 99 %
//   ./ring parktrip 64 300000  the same, but who waits spins 2,000 turns and then sleeps; parktrip99: its 99 %
//   ./ring paced 64 400000     one way, 200,000/s in bursts of a millisecond, spin then futex: 99 %, ns
//   ./ring pacedcpu 64 400000  the same: user and system time of the process, in % of a core
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int32_t kCapacityMax = 1 << 24;
constexpr int32_t kBatch = 4096;

struct alignas(128) Index {
  std::atomic<int32_t> value{0};
};

Index tailIndex;
Index headIndex;
alignas(128) uint8_t data[kCapacityMax];

constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
constexpr auto kOnly = std::memory_order_seq_cst;

template <int32_t kCapacity, bool kCopies, std::memory_order kLoad, std::memory_order kStore>
void produce(int32_t length, int32_t count) {
  const int32_t batch = kCopies ? kBatch : std::max(kBatch, std::min(kCapacity >> 3, length << 5));
  std::vector<uint8_t> source(length + 8, 7);
  int32_t tail = 0, published = 0, head = 0;
  const int32_t size = (length + 7) & -4;
  for (int32_t i = 0; i < count; i++) {
    int32_t offset = tail & (kCapacity - 1);
    const int32_t room = kCapacity - offset;
    const int32_t total = size > room ? size + room : size;
    while (kCapacity - (tail - head) < total) {
      if (published != tail) tailIndex.value.store(published = tail, kStore);
      head = headIndex.value.load(kLoad);
    }
    if (total != size) {
      const int32_t skip = -1;
      std::memcpy(data + offset, &skip, 4);
      tail += room;
      offset = 0;
    }
    std::memcpy(data + offset, &length, 4);
    if (kCopies) std::memcpy(data + offset + 4, source.data(), length);
    std::memcpy(data + offset + 4, &i, 4);
    tail += size;
    if (tail - published > batch) tailIndex.value.store(published = tail, kStore);
  }
  tailIndex.value.store(tail, kStore);
}

template <int32_t kCapacity, bool kCopies, std::memory_order kLoad, std::memory_order kStore>
int stream(int32_t length, int32_t count) {
  const int32_t batch = kCopies ? kBatch : kCapacity >> 3;
  const int32_t window = std::max(64, kCapacity * 8 / (length + 8));
  std::thread producer(produce<kCapacity, kCopies, kLoad, kStore>, length, count);
  std::vector<double> figures;
  int32_t head = 0, released = 0, tail = 0;
  double sum = 0;
  auto begun = std::chrono::steady_clock::now();
  for (int32_t i = 1; i <= count; i++) {
    while (head == tail) {
      if (released != head) headIndex.value.store(released = head, kStore);
      tail = tailIndex.value.load(kLoad);
    }
    int32_t offset = head & (kCapacity - 1), size, serial;
    std::memcpy(&size, data + offset, 4);
    if (size == -1) {
      head += kCapacity - offset;
      offset = 0;
      std::memcpy(&size, data, 4);
    }
    std::memcpy(&serial, data + offset + 4, 4);
    sum += serial;
    head += (size + 7) & -4;
    if (head - released > batch) headIndex.value.store(released = head, kStore);
    if (i % window == 0) {
      const auto now = std::chrono::steady_clock::now();
      figures.push_back(std::chrono::duration<double, std::nano>(now - begun).count() / window);
      begun = now;
    }
  }
  producer.join();
  if (sum != double(count) * (count - 1) / 2) return 2;
  std::sort(figures.begin(), figures.end());
  std::printf("%f\n", figures[figures.size() / 10]);
  return 0;
}

template <std::memory_order kLoad, std::memory_order kStore>
int inPlace(int32_t length, int32_t count) {
  if (length < 512) return stream<1 << 18, false, kLoad, kStore>(length, count);
  if (length < 16384) return stream<1 << 20, false, kLoad, kStore>(length, count);
  return stream<1 << 24, false, kLoad, kStore>(length, count);
}

double since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begun).count();
}

// Each side stores its index behind a record of its own, and spins on the other's.
int trip(int32_t length, int32_t count, double share) {
  std::vector<uint8_t> bytes(length, 7), answer(length);
  uint8_t *const there = data, *const back = data + kCapacityMax / 2;
  std::thread thread([&] {
    for (int32_t i = 1; i <= count; i++) {
      while (tailIndex.value.load(std::memory_order_acquire) != i) {}
      std::memcpy(answer.data(), there + (i & 1023) * length, length);
      std::memcpy(back + (i & 1023) * length, answer.data(), length);
      headIndex.value.store(i, std::memory_order_release);
    }
  });
  std::vector<double> figures;
  for (int32_t i = 1; i <= count; i++) {
    const auto begun = std::chrono::steady_clock::now();
    std::memcpy(there + (i & 1023) * length, bytes.data(), length);
    tailIndex.value.store(i, std::memory_order_release);
    while (headIndex.value.load(std::memory_order_acquire) != i) {}
    std::memcpy(bytes.data(), back + (i & 1023) * length, length);
    const auto now = std::chrono::steady_clock::now();
    figures.push_back(std::chrono::duration<double, std::nano>(now - begun).count());
  }
  thread.join();
  std::sort(figures.begin(), figures.end());
  std::printf("%f\n", figures[size_t(figures.size() * share)]);
  return 0;
}

// An index, and whether its reader sleeps: spin, then futex, as a wait of the package does.
struct alignas(128) Side {
  std::atomic<int32_t> value{0};
  alignas(128) std::atomic<int32_t> parked{0};

  void publish(int32_t next) {
    value.store(next);
    if (parked.load() != 0) {
      parked.store(0);
      value.notify_one();
    }
  }

  void await(int32_t wanted) {
    for (int turn = 0; turn < 2000 && value.load() != wanted; turn++) {
      if ((turn & 7) == 7) __builtin_ia32_pause();
    }
    while (value.load() != wanted) {
      parked.store(1);
      value.wait(wanted - 1);
    }
  }
};

Side thereSide, backSide;

int parkTrip(int32_t length, int32_t count, double share) {
  std::vector<uint8_t> bytes(length, 7), answer(length);
  uint8_t *const there = data, *const back = data + kCapacityMax / 2;
  std::thread thread([&] {
    for (int32_t i = 1; i <= count; i++) {
      thereSide.await(i);
      std::memcpy(answer.data(), there + (i & 1023) * length, length);
      std::memcpy(back + (i & 1023) * length, answer.data(), length);
      backSide.publish(i);
    }
  });
  std::vector<double> figures;
  for (int32_t i = 1; i <= count; i++) {
    const auto begun = std::chrono::steady_clock::now();
    std::memcpy(there + (i & 1023) * length, bytes.data(), length);
    thereSide.publish(i);
    backSide.await(i);
    std::memcpy(bytes.data(), back + (i & 1023) * length, length);
    figures.push_back(since(begun));
  }
  thread.join();
  std::sort(figures.begin(), figures.end());
  std::printf("%f\n", figures[size_t(figures.size() * share)]);
  return 0;
}

double cpuSeconds() {
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](timeval time) { return double(time.tv_sec) + double(time.tv_usec) / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// As the paced rows: a message due each 5 us, pushed when a sleep of a millisecond ends, with the time of its push.
int paced(int32_t count, bool wantsCpu) {
  const auto origin = std::chrono::steady_clock::now();
  std::vector<double> pushedAt(count), delays;
  std::thread thread([&] {
    for (int32_t sent = 0; sent < count;) {
      const int32_t due = std::min(count, int32_t(since(origin) / 5000));
      for (; sent < due; sent++) {
        pushedAt[sent] = since(origin);
        tailIndex.value.store(sent + 1);
        if (headIndex.value.load() != 0) {
          headIndex.value.store(0);
          tailIndex.value.notify_one();
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  const double cpu = cpuSeconds();
  for (int32_t i = 0; i < count; i++) {
    for (int turn = 0; turn < 2000 && tailIndex.value.load() <= i; turn++) __builtin_ia32_pause();
    while (tailIndex.value.load() <= i) {
      headIndex.value.store(1);  // parked
      tailIndex.value.wait(i);
    }
    delays.push_back(since(origin) - pushedAt[i]);
  }
  const double share = (cpuSeconds() - cpu) / (since(origin) / 1e9) * 100;
  thread.join();
  std::sort(delays.begin(), delays.end());
  std::printf("%f\n", wantsCpu ? share : delays[size_t(delays.size() * 0.99)]);
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 4) return 1;
  const std::string mode = argv[1];
  const int32_t length = std::atoi(argv[2]);
  const int32_t count = std::atoi(argv[3]);
  if (mode == "trip") return trip(length, count, 0.5);
  if (mode == "trip99") return trip(length, count, 0.99);
  if (mode == "parktrip") return parkTrip(length, count, 0.5);
  if (mode == "parktrip99") return parkTrip(length, count, 0.99);
  if (mode == "paced" || mode == "pacedcpu") return paced(count, mode == "pacedcpu");
  const bool isLarge = length >= 16384;
  if (mode == "copy") {
    return isLarge ? stream<1 << 20, true, kAcquire, kRelease>(length, count)
                   : stream<1 << 18, true, kAcquire, kRelease>(length, count);
  }
  return mode == "claimsc" ? inPlace<kOnly, kOnly>(length, count)
                           : inPlace<kAcquire, kRelease>(length, count);
}
