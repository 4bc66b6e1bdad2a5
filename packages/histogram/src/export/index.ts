export { exactBounds, LATENCY_SECONDS } from './buckets.ts';
export type { Json, OtlpOptions, OtlpSeries } from './otlp.ts';
export { toOtlpJson } from './otlp.ts';
export type { NativeHistogram, NativeOptions, NativeSpan } from './prometheus-native.ts';
export { toPrometheusNative } from './prometheus-native.ts';
export type { LabelledHistogram, OpenMetricsOptions, TextOptions } from './text.ts';
export { toOpenMetrics, toPrometheusText } from './text.ts';
