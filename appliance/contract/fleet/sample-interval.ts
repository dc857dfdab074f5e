/**
 * A box is heard of at least so often: by its telemetry. The fleet holds one for gone that misses several samples in a
 * row, so a box that measured more rarely would be gone between any two of them.
 */
export const sampleIntervalMsMax = 240_000;
