import {
	type BoxEvent,
	boxEventSchema,
	type SpooledEvent,
	samplesPerBatchMax,
	type TelemetrySample,
	telemetrySchema,
} from '#appliance/contract/fleet/spool-schema.ts';
import {payloadBytesMax} from '#appliance/contract/fleet/topic.ts';
import {errorCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {spoolEventReserveBytes} from '#appliance/mqtt/link-limits.ts';
import type {SpoolRecord, SpoolRepository, SpoolTopic} from '#appliance/mqtt/spool-repository.ts';
import type {Clock} from '#appliance/time/clock.ts';

type Severity = SpooledEvent['severity'];

/**
 * What a box has to tell and the fleet has not yet in its database. On disk when `tell…` returns; bounded in bytes: when
 * full the oldest telemetry goes, never events, and the gap is told once the fleet listens again.
 */
export type Spool = {
	readonly epoch: string;
	readonly tellEvent: (event: BoxEvent, severity: Severity) => void;
	readonly tellTelemetry: (samples: readonly TelemetrySample[]) => void;
	/** The first record after a sequence. */
	readonly next: (topic: SpoolTopic, after: number) => SpoolRecord | undefined;
	/** The fleet has all up to these; a number that was never given is disregarded. True when anything was forgotten. */
	readonly acknowledge: (topic: SpoolTopic, sequence: number) => boolean;
	readonly bytes: () => number;
};

const sampleSchema = telemetrySchema.shape.samples.element;

export const createSpool = (options: {
	readonly repository: SpoolRepository;
	readonly bytesMax: number;
	readonly clock: Clock;
	readonly logger: Logger;
	/** Something is there to be sent. */
	readonly onRecord: (topic: SpoolTopic) => void;
}): Spool => {
	const {repository, bytesMax, clock, logger, onRecord} = options;
	let bytes = repository.bytes();
	let isFullTold = false;

	/** After a transaction that was rolled back. A disk that cannot even be read leaves the number as it was. */
	const recount = (): void => {
		try {
			bytes = repository.bytes();
		} catch (error) {
			logger.error({err: error, code: errorCode(error)}, 'the spool cannot be read');
		}
	};

	/** One commit. The caller never fails for a disk that cannot be written: it has a box to keep running. */
	const write = (topic: SpoolTopic, append: () => number): void => {
		try {
			repository.together(() => {
				bytes += append();
				for (let freed = -1; bytes > bytesMax && freed !== 0; ) {
					freed = repository.evict();
					bytes -= freed;
				}
			});
			isFullTold = false;
		} catch (error) {
			recount();
			logger.error({err: error, code: errorCode(error), topic}, 'a record could not be written to the spool');
			return;
		}
		onRecord(topic);
	};

	const appendEvent = (event: BoxEvent, severity: Severity): number => {
		const atMs = clock.nowMs();
		return repository.append('event', {fromMs: atMs, toMs: atMs, body: JSON.stringify({atMs, severity, event})});
	};

	const forget = (topic: SpoolTopic, sequence: number): boolean => {
		let hasGap = false;
		const freed = repository.together(() => {
			const freedBytes = repository.acknowledge(topic, sequence);
			// Only now is somebody there who hears of the gap: within an outage it is one, however long.
			const gap = repository.takeGap();
			hasGap = gap !== undefined;
			bytes += gap === undefined ? 0 : appendEvent({kind: 'telemetry-gap', data: gap}, 'warning');
			bytes -= freedBytes;
			return freedBytes;
		});
		if (hasGap) {
			onRecord('event');
		}
		return freed > 0;
	};

	return {
		epoch: repository.epoch,
		tellEvent: (event, severity) => {
			if (bytes > bytesMax + spoolEventReserveBytes) {
				if (!isFullTold) {
					logger.error({bytes, kind: event.kind}, 'the spool is full of events; new ones are not kept');
				}
				isFullTold = true;
				return;
			}
			write('event', () => appendEvent(readable(event, logger), severity));
		},
		tellTelemetry: (samples) => {
			const good = samples.filter((sample) => sampleSchema.safeParse(sample).success);
			if (good.length < samples.length) {
				logger.error({count: samples.length - good.length}, 'samples outside the contract are not kept');
			}
			for (const {batch, body} of batchesOf(good, logger)) {
				const times = batch.map(({atMs}) => atMs);
				const record = {fromMs: Math.min(...times), toMs: Math.max(...times), body};
				write('telemetry', () => repository.append('telemetry', record));
			}
		},
		next: (topic, after) => {
			try {
				return repository.next(topic, after);
			} catch (error) {
				logger.error({err: error, code: errorCode(error), topic}, 'the spool cannot be read');
				return undefined;
			}
		},
		acknowledge: (topic, sequence) => {
			try {
				return sequence <= repository.lastSequence(topic) && forget(topic, sequence);
			} catch (error) {
				recount();
				logger.error({err: error, code: errorCode(error), topic}, 'acknowledged records could not be removed');
				return false;
			}
		},
		bytes: () => bytes,
	};
};

/** What one record may take of a payload, beside its head. */
const bodyBytesMax = payloadBytesMax - 1024;

/** By count and by bytes; a sample too long for a payload by itself is told in the log and left out. */
const batchesOf = (
	samples: readonly TelemetrySample[],
	logger: Logger,
): readonly {readonly batch: readonly TelemetrySample[]; readonly body: string}[] => {
	if (samples.length === 0) {
		return [];
	}
	const body = JSON.stringify({samples});
	if (samples.length <= samplesPerBatchMax && Buffer.byteLength(body) <= bodyBytesMax) {
		return [{batch: samples, body}];
	}
	if (samples.length === 1) {
		logger.error({bytes: body.length}, 'a sample that fits no payload is not kept');
		return [];
	}
	const middle = Math.ceil(samples.length / 2);
	return [...batchesOf(samples.slice(0, middle), logger), ...batchesOf(samples.slice(middle), logger)];
};

/** An event outside the contract would be refused by the fleet; that it happened is told instead. */
const readable = (event: BoxEvent, logger: Logger): BoxEvent => {
	const parsed = boxEventSchema.safeParse(event);
	const [issue] = parsed.error?.issues ?? [];
	if (parsed.success && Buffer.byteLength(JSON.stringify(event)) <= bodyBytesMax) {
		return event;
	}
	const problem = issue === undefined ? 'too long for a payload' : `${issue.path.join('.')}: ${issue.message}`;
	logger.error({kind: event.kind, problem}, 'an event outside the contract is told as a note');
	return {kind: 'note', data: {unreadableEvent: String(event.kind).slice(0, 64), problem: problem.slice(0, 256)}};
};
