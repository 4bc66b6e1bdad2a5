// The Java side of make-java-vectors.mjs: HdrHistogram itself, writing what we must read and reading what we wrote.
//
//   java ... JavaVectors make          prints vectors, one JSON object per line
//   java ... JavaVectors read          reads base64 encodings, one per line, prints what HdrHistogram finds in each
//   java ... JavaVectors read-log FILE prints the intervals that HdrHistogram finds in a log
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import java.util.zip.Deflater;
import org.HdrHistogram.AbstractHistogram;
import org.HdrHistogram.DoubleHistogram;
import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;
import org.HdrHistogram.HistogramLogReader;
import org.HdrHistogram.HistogramLogWriter;
import org.HdrHistogram.ShortCountsHistogram;

public final class JavaVectors {
  private static final double[] PERCENTILES = {0, 1, 5, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.9, 99.99, 99.999, 100};
  private static final long HOUR = 3_600_000_000_000L;
  private static long state = 42;

  /** Values that look like latencies: log-uniform from 1 to 2^bits. */
  private static long next(int bits) {
    state = state * 6364136223846793005L + 1442695040888963407L;
    double share = (state >>> 11) / (double) (1L << 53);
    return (long) Math.pow(2, share * bits);
  }

  private static <T extends AbstractHistogram> T fill(T histogram, int count, int bits) {
    for (int i = 0; i < count; i++) histogram.recordValue(next(bits));
    return histogram;
  }

  private static String quote(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
  }

  private static String base64(EncodableHistogram histogram, boolean deflate) {
    ByteBuffer buffer = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity() + 64);
    int length = deflate
        ? histogram.encodeIntoCompressedByteBuffer(buffer, Deflater.DEFAULT_COMPRESSION)
        : ((AbstractHistogram) histogram).encodeIntoByteBuffer(buffer);
    return Base64.getEncoder().encodeToString(Arrays.copyOf(buffer.array(), length));
  }

  /** What a histogram holds; FNV-1a over (lowest value, count) of each bucket in use stands for all of them. */
  private static String facts(AbstractHistogram histogram) {
    long hash = 0xcbf29ce484222325L;
    long buckets = 0;
    for (HistogramIterationValue value : histogram.recordedValues()) {
      long lowest = histogram.lowestEquivalentValue(value.getValueIteratedTo());
      for (long word : new long[] {lowest, value.getCountAtValueIteratedTo()}) {
        for (int i = 0; i < 8; i++) hash = (hash ^ ((word >>> (8 * i)) & 255)) * 0x100000001b3L;
      }
      buckets++;
    }
    StringBuilder text = new StringBuilder();
    text.append("\"lowest\":\"").append(histogram.getLowestDiscernibleValue()).append('"');
    text.append(",\"highest\":\"").append(histogram.getHighestTrackableValue()).append('"');
    text.append(",\"digits\":").append(histogram.getNumberOfSignificantValueDigits());
    text.append(",\"count\":\"").append(histogram.getTotalCount()).append('"');
    text.append(",\"min\":\"").append(histogram.getMinValue()).append('"');
    text.append(",\"max\":\"").append(histogram.getMaxValue()).append('"');
    text.append(",\"mean\":").append(histogram.getMean());
    text.append(",\"standardDeviation\":").append(histogram.getStdDeviation());
    text.append(",\"buckets\":").append(buckets);
    text.append(",\"hash\":\"").append(String.format("%016x", hash)).append('"');
    text.append(",\"percentiles\":[");
    for (int i = 0; i < PERCENTILES.length; i++) {
      text.append(i == 0 ? "" : ",").append('"').append(histogram.getValueAtPercentile(PERCENTILES[i])).append('"');
    }
    return text.append(']').toString();
  }

  private static String doubleFacts(DoubleHistogram histogram) {
    StringBuilder text = new StringBuilder();
    text.append("\"digits\":").append(histogram.getNumberOfSignificantValueDigits());
    text.append(",\"count\":\"").append(histogram.getTotalCount()).append('"');
    text.append(",\"min\":").append(histogram.getMinValue());
    text.append(",\"mean\":").append(histogram.getMean());
    text.append(",\"percentiles\":[");
    for (int i = 0; i < PERCENTILES.length; i++) {
      text.append(i == 0 ? "" : ",").append(histogram.getValueAtPercentile(PERCENTILES[i]));
    }
    return text.append(']').toString();
  }

  private static void vector(String id, AbstractHistogram histogram, boolean deflate, AbstractHistogram told) {
    System.out.println("{\"kind\":\"integer\",\"id\":" + quote(id) + ",\"base64\":" + quote(base64(histogram, deflate))
        + ",\"deflate\":" + deflate + "," + facts(told) + "}");
  }

  /** Facts are those of the decoded histogram: what encoding forgets (exact maximum) is not asked for. */
  private static void vector(String id, AbstractHistogram histogram) throws Exception {
    byte[] bytes = Base64.getDecoder().decode(base64(histogram, true));
    vector(id, histogram, true, Histogram.decodeFromCompressedByteBuffer(ByteBuffer.wrap(bytes), 0));
  }

  private static void doubleVector(String id, DoubleHistogram histogram) throws Exception {
    String text = base64(histogram, true);
    DoubleHistogram told =
        DoubleHistogram.decodeFromCompressedByteBuffer(ByteBuffer.wrap(Base64.getDecoder().decode(text)), 0);
    System.out.println("{\"kind\":\"double\",\"id\":" + quote(id) + ",\"base64\":" + quote(text) + ","
        + doubleFacts(told) + "}");
  }

  private static void distribution(String id, AbstractHistogram histogram, int ticks, double scale, boolean csv) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    histogram.outputPercentileDistribution(new PrintStream(bytes), ticks, scale, csv);
    System.out.println("{\"kind\":\"distribution\",\"id\":" + quote(id) + ",\"base64\":"
        + quote(base64(histogram, true)) + ",\"ticks\":" + ticks + ",\"scale\":" + scale + ",\"csv\":" + csv
        + ",\"text\":" + quote(bytes.toString()) + "}");
  }

  private static void make() throws Exception {
    for (int digits = 0; digits <= 5; digits++) {
      vector("digits-" + digits, fill(new Histogram(1, HOUR, digits), 3000, 34));
    }
    vector("unit-1000", fill(new Histogram(1000, HOUR, 3), 3000, 38));
    vector("unit-1e6", fill(new Histogram(1_000_000, HOUR, 2), 2000, 41));
    vector("empty", new Histogram(1, 3_600_000_000L, 3));
    Histogram zeros = new Histogram(1, 3_600_000_000L, 3);
    zeros.recordValueWithCount(0, 5);
    vector("only-zero", zeros);
    Histogram edges = new Histogram(1, 3_600_000_000L, 3);
    for (long value : new long[] {0, 1, 1023, 1024, 2047, 2048, 2049, 4095, 4096, 3_600_000_000L}) {
      edges.recordValue(value);
    }
    vector("edges", edges);
    Histogram wide = new Histogram(1, (1L << 53) - 1, 3);
    for (int bit = 30; bit < 53; bit++) {
      for (long offset = -1; offset <= 1; offset++) wide.recordValue((1L << bit) + offset);
    }
    vector("wide", wide);
    Histogram large = new Histogram(1, 3_600_000_000L, 3);
    large.recordValueWithCount(7, (1L << 32) - 1);
    large.recordValueWithCount(8, 1L << 32);
    large.recordValueWithCount(1000, (1L << 40) + 3);
    vector("counts-above-32-bits", large);
    Histogram safe = new Histogram(1, 3_600_000_000L, 3);
    safe.recordValueWithCount(100, (1L << 53) - 1);
    vector("count-2^53-1", safe);
    Histogram huge = new Histogram(1, 3_600_000_000L, 3);
    huge.recordValueWithCount(100, (1L << 60) + 1);
    vector("count-2^60+1", huge);
    Histogram far = new Histogram(1, Long.MAX_VALUE, 3);
    far.recordValue(5);
    far.recordValue(1L << 62);
    vector("range-63-bits", far);
    Histogram grown = new Histogram(3);
    grown.recordValue(1);
    grown.recordValue(1L << 40);
    vector("auto-resized", fill(grown, 500, 36));
    Histogram shifted = new Histogram(1, HOUR, 3);
    for (long value = 1500; value < 1600; value++) shifted.recordValue(value * 1000);
    shifted.shiftValuesLeft(5);
    vector("shifted", shifted);
    vector("short-counts", fill(new ShortCountsHistogram(1, HOUR, 2), 2000, 30));
    Histogram corrected = new Histogram(1, 3_600_000_000L, 3);
    for (int i = 0; i < 10_000; i++) corrected.recordValueWithExpectedInterval(1000, 10_000);
    corrected.recordValueWithExpectedInterval(100_000_000, 10_000);
    vector("corrected", corrected);
    Histogram bare = fill(new Histogram(1, HOUR, 2), 2000, 34);
    vector("bare", bare, false, Histogram.decodeFromByteBuffer(
        ByteBuffer.wrap(Base64.getDecoder().decode(base64(bare, false))), 0));

    DoubleHistogram seconds = new DoubleHistogram(3_600_000_000L, 3);
    for (int i = 0; i < 3000; i++) seconds.recordValue(next(30) / 1e9);
    doubleVector("double-seconds", seconds);
    DoubleHistogram coarse = new DoubleHistogram(1000, 2);
    for (double value : new double[] {0, 0.001, 0.5}) coarse.recordValue(value);
    doubleVector("double-coarse", coarse);

    distribution("text-3-digits", fill(new Histogram(1, HOUR, 3), 5000, 34), 5, 1000, false);
    distribution("text-2-digits", fill(new Histogram(1, HOUR, 2), 5000, 34), 10, 1, false);
    distribution("text-csv", fill(new Histogram(1, HOUR, 1), 5000, 34), 2, 1_000_000, true);
    distribution("text-unit", fill(new Histogram(1000, HOUR, 3), 100, 38), 1, 1_000_000, false);
    distribution("text-edges", edges, 5, 1, false);
    distribution("text-empty", new Histogram(1, 3_600_000_000L, 3), 5, 1, false);

    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    HistogramLogWriter writer = new HistogramLogWriter(new PrintStream(bytes));
    writer.outputComment("[Written by HdrHistogram for Java]");
    writer.outputLogFormatVersion();
    writer.outputStartTime(1_700_000_000_250L);
    writer.setBaseTime(1_700_000_000_000L);
    writer.outputBaseTime(1_700_000_000_000L);
    writer.outputLegend();
    for (int i = 0; i < 4; i++) {
      Histogram interval = fill(new Histogram(1, HOUR, 2), 200, 30);
      if (i % 2 == 1) interval.setTag("odd");
      interval.setStartTimeStamp(1_700_000_000_250L + i * 1000);
      interval.setEndTimeStamp(1_700_000_001_250L + i * 1000);
      writer.outputIntervalHistogram(interval);
    }
    System.out.println("{\"kind\":\"log\",\"id\":\"log\",\"text\":" + quote(bytes.toString()) + "}");
  }

  private static void read() throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      byte[] bytes = Base64.getDecoder().decode(line);
      int raw = ByteBuffer.wrap(bytes).getInt();
      int cookie = raw & ~0xf0;
      String facts;
      if (raw == 0x0c72124f) {
        facts = doubleFacts(DoubleHistogram.decodeFromCompressedByteBuffer(ByteBuffer.wrap(bytes), 0));
      } else if (raw == 0x0c72124e) {
        facts = doubleFacts(DoubleHistogram.decodeFromByteBuffer(ByteBuffer.wrap(bytes), 0));
      } else if (cookie == 0x1c849309 || cookie == 0x1c849302 || cookie == 0x1c849304) {
        facts = facts(Histogram.decodeFromCompressedByteBuffer(ByteBuffer.wrap(bytes), 0));
      } else {
        facts = facts(Histogram.decodeFromByteBuffer(ByteBuffer.wrap(bytes), 0));
      }
      System.out.println("{" + facts + "}");
    }
  }

  private static void readLog(String file) throws Exception {
    HistogramLogReader reader = new HistogramLogReader(new File(file));
    for (EncodableHistogram next = reader.nextIntervalHistogram(); next != null;
        next = reader.nextIntervalHistogram()) {
      Histogram histogram = (Histogram) next;
      String tag = histogram.getTag();
      System.out.println("{\"tag\":" + (tag == null ? "null" : quote(tag))
          + ",\"start\":\"" + histogram.getStartTimeStamp() + "\",\"end\":\"" + histogram.getEndTimeStamp() + "\","
          + facts(histogram) + "}");
    }
  }

  public static void main(String[] arguments) throws Exception {
    Locale.setDefault(Locale.ROOT);
    if (arguments[0].equals("make")) make();
    else if (arguments[0].equals("read")) read();
    else readLog(arguments[1]);
  }
}
