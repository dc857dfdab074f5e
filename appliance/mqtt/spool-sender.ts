import type {Acknowledged} from '#appliance/contract/fleet/spool-schema.ts';
import type {Connection} from '#appliance/mqtt/connection.ts';
import {inFlightInitial, inFlightMax, recordExpirySeconds} from '#appliance/mqtt/link-limits.ts';
import type {Spool} from '#appliance/mqtt/spool.ts';
import type {SpoolRecord, SpoolTopic} from '#appliance/mqtt/spool-repository.ts';
import {backoffMs} from '#appliance/time/backoff.ts';

/**
 * Sends one topic of the spool in order. What the fleet does not acknowledge in time is sent again from the first, with
 * fewer under way. A broker's acknowledgement means nothing here: the fleet's says that the database has it.
 */
export type SpoolSender = {
	/** Sends what fits into the window; nothing while there is no connection. */
	readonly pump: () => void;
	readonly connect: (connection: Connection) => void;
	readonly disconnect: () => void;
	readonly acknowledge: (message: Acknowledged) => void;
};

export type SpoolSenderOptions = {
	readonly topic: SpoolTopic;
	/** As the broker knows it. */
	readonly path: string;
	readonly spool: Spool;
	readonly random: () => number;
	readonly backoff: {readonly initialMs: number; readonly maxMs: number};
};

export const createSpoolSender = (options: SpoolSenderOptions): SpoolSender => {
	const {topic, path, spool, random, backoff} = options;
	let connection: Connection | undefined;
	/** Sequences sent since the last (re)start, oldest first. */
	let inFlight: number[] = [];
	let windowSize = inFlightInitial;
	let attempt = 0;
	let timer: NodeJS.Timeout | undefined;

	const restart = (): void => {
		clearTimeout(timer);
		timer = undefined;
		inFlight = [];
	};
	const watch = (): void => {
		clearTimeout(timer);
		timer = inFlight.length === 0 ? undefined : setTimeout(sendAgain, backoffMs(attempt, {...backoff, random}));
		timer?.unref();
	};
	const sendAgain = (): void => {
		attempt += 1;
		windowSize = 1;
		restart();
		pump();
	};
	const pump = (): void => {
		while (connection !== undefined && inFlight.length < windowSize) {
			const record = spool.next(topic, inFlight.at(-1) ?? 0);
			if (record === undefined) {
				return;
			}
			inFlight.push(record.sequence);
			if (timer === undefined) {
				watch();
			}
			const payload = payloadOf(spool.epoch, record);
			// One that is lost on the way is not acknowledged by the fleet either, which is what counts.
			connection.publish(path, payload, {expirySeconds: recordExpirySeconds}).catch(() => undefined);
		}
	};
	return {
		pump,
		connect: (made) => {
			connection = made;
			attempt = 0;
			restart();
			pump();
		},
		disconnect: () => {
			connection = undefined;
			windowSize = inFlightInitial;
			restart();
		},
		acknowledge: (message) => {
			const sequence = message[topic];
			if (message.epoch !== spool.epoch || sequence === undefined) {
				return;
			}
			spool.acknowledge(topic, sequence);
			const before = inFlight.length;
			inFlight = inFlight.filter((each) => each > sequence);
			if (inFlight.length < before) {
				attempt = 0;
				windowSize = Math.min(inFlightMax, windowSize + 1);
				watch();
			}
			pump();
		},
	};
};

/** The head and the stored body are both objects: joined as text, so that a long batch is not parsed to be sent. */
const payloadOf = (epoch: string, {sequence, after, body}: SpoolRecord): string =>
	`${JSON.stringify({version: 1, epoch, sequence, after}).slice(0, -1)},${body.slice(1)}`;
