/** Exit codes of our processes, after sysexits(3) where it has a fitting one. */
export const exitCode = {
	success: 0,
	failure: 1,
	usage: 64,
	/** A bug: something was thrown that nobody handled. */
	software: 70,
	/** It would not stop in time. */
	stopTimeout: 75,
	configuration: 78,
} as const;
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
