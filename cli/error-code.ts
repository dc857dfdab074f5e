/** What can go wrong on the command line itself. */
export type CliErrorCode =
	| 'CLI_BENCH_FAILED'
	| 'CLI_BENCH_OPTION'
	| 'CLI_BENCH_UNKNOWN'
	| 'CLI_MODCOD_UNKNOWN'
	| 'CLI_PROBE_CAPTURE'
	| 'CLI_PROBE_SILENT'
	| 'CLI_PROBE_SOURCE_UNKNOWN'
	| 'CLI_PROBE_STREAM'
	| 'CLI_STEP_FAILED'
	| 'CLI_STEP_UNKNOWN';
