import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {FluteRange} from '#native/flute/receiver-event.ts';
import type {StbConfig} from '#stb/config-schema.ts';
import type {StbErrorCode} from '#stb/error-code.ts';
import {fetchRange} from '#stb/repair/fetch-range.ts';
import {createLatencyReservoir} from '#stb/repair/latency-reservoir.ts';
import {createRepairServers} from '#stb/repair/repair-servers.ts';
import type {RepairStats, RepairTarget} from '#stb/repair/repair-target.ts';
import {repairUrl} from '#stb/repair/repair-url.ts';

export type RepairClient = {
	/** One request to one server; `range` absent asks for the whole object. */
	ask(target: RepairTarget, range: FluteRange | undefined, options: {readonly signal: AbortSignal}): Promise<void>;
	stats(): RepairStats;
};

/** Answers by which a server that is well says that it cannot help with this object now. */
const wellAnswers = [
	'STB_REPAIR_NOT_FOUND',
	'STB_REPAIR_CHANGED',
	'STB_REPAIR_RANGE_MISMATCH',
] as const satisfies readonly StbErrorCode[];

/** Asks servers, remembers which of them fail, and measures. */
export const createRepairClient = (options: {
	readonly config: StbConfig['repair'];
	readonly clock: Clock;
	readonly logger: Logger;
	readonly random: () => number;
}): RepairClient => {
	const {config, clock, logger, random} = options;
	const servers = createRepairServers({clock, random});
	const latency = createLatencyReservoir();
	const counts = {requests: 0, bytes: 0, failures: 0};
	const request = async (target: RepairTarget, range: FluteRange | undefined, url: string, signal: AbortSignal) => {
		const timeout = AbortSignal.timeout(config.requestTimeoutMs);
		try {
			return await fetchRange({
				url,
				range,
				sizeBytes: target.sizeBytes,
				entityTag: target.entityTag,
				bytesMax: target.sizeBytes ?? config.requestBytesMax,
				signal: AbortSignal.any([signal, timeout]),
				onBytes: async (offset, bytes) => {
					counts.bytes += bytes.length;
					await target.write(offset, bytes);
				},
			});
		} catch (error) {
			signal.throwIfAborted();
			throw timeout.aborted ? tookTooLong(error, url) : error;
		}
	};
	return {
		ask: async (target, range, {signal}) => {
			const server = servers.choose(target.source.servers);
			if (server === undefined) {
				throw noServer(target.uri);
			}
			const url = repairUrl({objectUri: target.uri, objectBaseUri: target.source.objectBaseUri, baseUrl: server.url});
			const startedMs = clock.monotonicMs();
			counts.requests += 1;
			try {
				const {bytes} = await request(target, range, url, signal);
				servers.succeeded(server.url);
				latency.add(clock.monotonicMs() - startedMs);
				logger.debug({url, range, bytes}, 'repair request answered');
			} catch (error) {
				signal.throwIfAborted();
				counts.failures += 1;
				if (!hasCode(error, ...wellAnswers)) {
					servers.failed(server.url);
				}
				throw error;
			}
		},
		stats: () => ({...counts, latencyMs: latency.percentiles()}),
	};
};

const noServer = (uri: string): CodedError<StbErrorCode> =>
	new CodedError<StbErrorCode>('STB_REPAIR_NO_SERVER', {
		message: 'No repair server is known for this object.',
		details: {uri},
	});

const tookTooLong = (cause: unknown, url: string): CodedError<StbErrorCode> =>
	new CodedError<StbErrorCode>('STB_REPAIR_TIMEOUT', {
		message: 'The repair server took too long.',
		cause,
		details: {url},
		retryable: true,
	});
