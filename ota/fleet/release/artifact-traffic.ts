import type {Sha256} from '#appliance/contract/fleet/release-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

const flushIntervalMs = 5000;
/** Pairs of box and file that wait to be written; beyond it they are written at once. */
const pendingMax = 10_000;

export type ArtifactTraffic = {
	readonly count: (sent: {readonly box: string; readonly sha256: Sha256; readonly bytes: number}) => void;
	readonly flush: () => Promise<void>;
	/** Writes from time to time until it is disposed, and then once more. */
	readonly start: () => AsyncDisposable;
};

/** Adds up what boxes were sent and writes it now and then: a range costs the database nothing. */
export const createArtifactTraffic = (options: {
	readonly database: FleetDatabase;
	readonly clock: Clock;
	readonly logger: Logger;
}): ArtifactTraffic => {
	let pending = new Map<string, {box: string; sha256: Sha256; bytes: number; requests: number}>();
	const flush = async (): Promise<void> => {
		const rows = [...pending.values()];
		pending = new Map();
		const nowMs = options.clock.nowMs();
		for (const chunk of chunksOf(rows, 5)) {
			await add(options.database, chunk, nowMs);
		}
	};
	const warn = (error: unknown): void => options.logger.warn({err: error}, 'traffic of artifacts was not counted');
	return {
		flush,
		count: ({box, sha256, bytes}) => {
			const key = `${box} ${sha256}`;
			const known = pending.get(key) ?? {box, sha256, bytes: 0, requests: 0};
			known.bytes += bytes;
			known.requests += 1;
			pending.set(key, known);
			if (pending.size >= pendingMax) {
				flush().catch(warn);
			}
		},
		start: () => {
			const stopping = new AbortController();
			const running = (async () => {
				while (!stopping.signal.aborted) {
					await sleep(flushIntervalMs, {signal: stopping.signal}).catch(() => undefined);
					await flush().catch(warn);
				}
			})();
			return {
				[Symbol.asyncDispose]: async () => {
					stopping.abort();
					await running;
				},
			};
		},
	};
};

const add = async (
	database: FleetDatabase,
	rows: readonly {readonly box: string; readonly sha256: string; readonly bytes: number; readonly requests: number}[],
	nowMs: number,
): Promise<void> => {
	await database
		.insertInto('artifact_traffic')
		.values(rows.map((row) => ({...row, last_ms: nowMs})))
		.onConflict((conflict) =>
			conflict.columns(['box', 'sha256']).doUpdateSet((set) => ({
				bytes: set('artifact_traffic.bytes', '+', set.ref('excluded.bytes')),
				requests: set('artifact_traffic.requests', '+', set.ref('excluded.requests')),
				last_ms: nowMs,
			})),
		)
		.execute();
};
