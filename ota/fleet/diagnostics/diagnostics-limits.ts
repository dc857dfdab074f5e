/** Bounds of what boxes upload and people watch. */
export type DiagnosticsLimits = {
	/** Of one upload. */
	readonly uploadBytesMax: number;
	/** Of all that is kept of one box. */
	readonly boxBytesMax: number;
	/** Uploads of one box that are awaited at the same time. */
	readonly awaitedPerBoxMax: number;
	readonly retentionMs: number;
	readonly recordingRetentionMs: number;
	readonly recordingBytesMax: number;
	/** Streams that one server bridges, and one person watches. */
	readonly streamsMax: number;
	readonly streamsPerActorMax: number;
	/** How long a stream waits for a page that was lost, and for a box that is silent. */
	readonly resumeMs: number;
	/** A box gives up a stream of which it hears nothing, so that it hears this often. */
	readonly keepAliveMs: number;
	readonly openTimeoutMs: number;
	readonly terminalIdleMs: number;
	readonly terminalTotalMs: number;
};

const dayMs = 86_400_000;

export const diagnosticsLimits: DiagnosticsLimits = {
	uploadBytesMax: 64 * 1024 ** 2,
	boxBytesMax: 512 * 1024 ** 2,
	awaitedPerBoxMax: 4,
	retentionMs: 30 * dayMs,
	recordingRetentionMs: 365 * dayMs,
	recordingBytesMax: 64 * 1024 ** 2,
	streamsMax: 200,
	streamsPerActorMax: 8,
	resumeMs: 60_000,
	keepAliveMs: 15_000,
	openTimeoutMs: 20_000,
	terminalIdleMs: 15 * 60_000,
	terminalTotalMs: 4 * 3_600_000,
};
