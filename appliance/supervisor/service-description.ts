/** A service that systemd runs as a unit of its own, started by a connection to its socket. */
export type ServiceUnit = {
	readonly socketPath: string;
	/** Of its instances, in the words of systemctl. */
	readonly unitPattern: string;
	/** The file that it is to be started with, asked anew at each start; and where a copy lies that it may read. */
	readonly sourcePath: () => string;
	readonly filePath: string;
	/** Takes the place of the box's in its copy. */
	readonly stateDirectory: string;
	/** Where the unit leaves a line when it ended. */
	readonly endPath: string;
	/** Default systemctl of the system. */
	readonly systemctl?: string;
};

/** What to run, how to know that it runs, and how to end it. The same description serves a daemon and a role. */
export type ServiceDescription = {
	readonly name: string;
	readonly command: string;
	/** Instead of the command, where systemd runs it. Its output is the journal's. */
	readonly unit?: ServiceUnit;
	/** A function is asked anew at each start. */
	readonly args?: readonly string[] | (() => readonly string[]);
	readonly workingDirectory?: string;
	/** Added to this process's environment; undefined takes a variable away. */
	readonly environment?: Readonly<Record<string, string | undefined>>;
	/**
	 * `spawned`: it counts as running once the process exists. `message`: it is one of ours, and tells by role messages
	 * over an IPC channel. `probe`: asked again and again until the answer is true (or the start deadline ends it).
	 */
	readonly readiness:
		| {readonly kind: 'spawned'}
		| {readonly kind: 'message'}
		| {readonly kind: 'probe'; readonly intervalMs?: number; readonly probe: (signal: AbortSignal) => Promise<boolean>};
	/**
	 * `log`: lines go into the log, bounded. `inherit`: it writes our JSON lines itself, straight to our streams. `relay`:
	 * the same, but through us, so that `onOutput` hears it.
	 */
	readonly output?: 'log' | 'inherit' | 'relay';
	readonly onOutput?: (text: string) => void;
	/** What asks it to end; nginx, for one, ends gracefully on SIGQUIT. Default SIGTERM. */
	readonly stopSignal?: NodeJS.Signals;
	/** What the kernel sends it when this process dies without a word. Default SIGTERM. */
	readonly orphanSignal?: 'SIGTERM' | 'SIGKILL' | 'SIGQUIT';
	/** Default 30 s. */
	readonly startTimeoutMs?: number;
	/** Between the request to stop and SIGKILL. Default 10 s. */
	readonly stopTimeoutMs?: number;
	/** Only with readiness `message`: restarted when no message came for so long. */
	readonly heartbeatTimeoutMs?: number;
	/** Default 500 ms. */
	readonly restartDelayMinMs?: number;
	/** Default 30 s. */
	readonly restartDelayMaxMs?: number;
	/** Default 60 s: the back-off begins anew after so long without a failure. */
	readonly steadyMs?: number;
};
