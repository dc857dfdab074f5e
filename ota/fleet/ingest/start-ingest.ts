import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {Acknowledged} from '#appliance/contract/fleet/spool-schema.ts';
import {boxTopic, boxTopicNames, topicRoot} from '#appliance/contract/fleet/topic.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Changes, FleetPart} from '#ota/fleet/fleet-part.ts';
import {type Incoming, spoolPlace} from '#ota/fleet/ingest/incoming.ts';
import {parseIncoming} from '#ota/fleet/ingest/parse-incoming.ts';
import {type IngestContext, type Written, writeBatch} from '#ota/fleet/ingest/write-batch.ts';
import type {BrokerMessage, FleetBroker} from '#ota/fleet/server/fleet-broker.ts';

/** A batch is written when it is this long, or when its first message has waited this long. */
export const batchMessagesMax = 1000;
export const batchWaitMs = 40;
/** What waits beyond this holds the broker back. */
const pendingMax = 4 * batchMessagesMax;
/** How long retained state is read after a start or the loss of a peer. */
const reconcileQuietMs = 3000;
const retry = {initialMs: 100, maxMs: 5000} as const;
/** A batch that failed so often, with a database that answers, holds a message that cannot be written. */
const attemptsBeforeSplit = 3;
const changedIdsMax = 200;

export type IngestStats = {
	messages: number;
	batches: number;
	duplicates: number;
	unknown: number;
	malformed: number;
	stale: number;
	dropped: number;
	/** Of the last batch, from its first message's arrival to its commit. */
	lastLagMs: number;
};

export type Ingest = AsyncDisposable & {
	readonly stats: () => Readonly<IngestStats>;
	/** Reads what the broker retains of every box: a peer may have died with messages in its hands. */
	readonly reconcile: () => void;
};

type Options = IngestContext & {
	readonly parts: readonly Pick<FleetPart, 'writeIngest' | 'afterIngest'>[];
	readonly broker: FleetBroker;
	/** The same for every server and unknown to boxes, of which one that joined the group would take messages from it. */
	readonly shareGroup?: string;
	readonly changes: Changes;
	readonly logger: Logger;
	readonly signal: AbortSignal;
};

/** Takes what boxes say from the broker to the database, in batches, and tells the boxes what they may forget. */
export const startIngest = async (options: Options): Promise<Ingest> => {
	const runner = new IngestRunner(options);
	await using stack = new AsyncDisposableStack();
	stack.use(runner);
	const {shareGroup = 'fleet'} = options;
	for (const name of boxTopicNames) {
		stack.use(await options.broker.subscribe(`$share/${shareGroup}/${topicRoot}/+/${name}`, runner.onMessage));
	}
	// What was said while the connection was away reached nobody; what of it matters, the broker retains.
	stack.defer(options.broker.onConnected(() => void runner.reconcile()));
	const owned = stack.move();
	return {
		stats: () => runner.stats,
		reconcile: () => void runner.reconcile(),
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
};

class IngestRunner implements AsyncDisposable {
	readonly stats: IngestStats = {
		messages: 0,
		batches: 0,
		duplicates: 0,
		unknown: 0,
		malformed: 0,
		stale: 0,
		dropped: 0,
		lastLagMs: 0,
	};
	readonly #options: Options;
	#pending: Incoming[] = [];
	#firstMs = 0;
	#arrived = Promise.withResolvers<void>();
	#room = Promise.withResolvers<void>();
	readonly #stop = new AbortController();
	readonly #signal: AbortSignal;
	readonly #running: Promise<void>;
	#reconciling = false;
	#mustReconcile = false;

	constructor(options: Options) {
		this.#options = options;
		this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
		this.#running = this.#run();
	}

	/** Only enqueues; the promise of a full queue holds the connection back. */
	readonly onMessage = (message: BrokerMessage): undefined | Promise<void> =>
		// Retained messages are for `reconcile`, which asked for them.
		message.retained ? undefined : this.#enqueue(message);

	#enqueue(message: BrokerMessage): undefined | Promise<void> {
		const incoming = parseIncoming(message);
		if (incoming === undefined || this.#signal.aborted) {
			return undefined;
		}
		this.stats.messages += 1;
		if (this.#pending.length === 0) {
			this.#firstMs = this.#options.clock.monotonicMs();
		}
		this.#pending.push(incoming);
		this.#arrived.resolve();
		return this.#pending.length >= pendingMax ? this.#room.promise : undefined;
	}

	/** One at a time; asked for meanwhile, it is done once more. */
	async reconcile(): Promise<void> {
		this.#mustReconcile = true;
		if (this.#reconciling) {
			return;
		}
		this.#reconciling = true;
		while (this.#mustReconcile && !this.#signal.aborted) {
			this.#mustReconcile = false;
			await this.#readRetained();
		}
		this.#reconciling = false;
	}

	async #readRetained(): Promise<void> {
		let lastMs = this.#options.clock.monotonicMs();
		try {
			await using stack = new AsyncDisposableStack();
			for (const name of ['presence', 'reported'] as const) {
				stack.use(
					await this.#options.broker.subscribe(`${topicRoot}/+/${name}`, (message) => {
						if (!message.retained) {
							return undefined;
						}
						lastMs = this.#options.clock.monotonicMs();
						return this.#enqueue(message);
					}),
				);
			}
			while (this.#options.clock.monotonicMs() - lastMs < reconcileQuietMs) {
				await sleep(reconcileQuietMs / 4, {signal: this.#signal});
			}
		} catch (error) {
			if (!this.#signal.aborted) {
				this.#options.logger.warn({err: error}, 'the retained state of the boxes was not read');
			}
		}
	}

	async #run(): Promise<void> {
		while (!this.#signal.aborted || this.#pending.length > 0) {
			if (this.#pending.length === 0) {
				await Promise.race([this.#arrived.promise, sleep(1000, {signal: this.#signal}).catch(() => undefined)]);
				this.#arrived = Promise.withResolvers();
				continue;
			}
			if (this.#pending.length < batchMessagesMax) {
				await sleep(batchWaitMs, {signal: this.#signal}).catch(() => undefined);
			}
			const arrivedMs = this.#firstMs;
			const messages = this.#pending.splice(0, batchMessagesMax);
			this.#firstMs = this.#options.clock.monotonicMs();
			if (this.#pending.length < pendingMax) {
				this.#room.resolve();
				this.#room = Promise.withResolvers();
			}
			await this.#write(messages);
			this.stats.lastLagMs = this.#options.clock.monotonicMs() - arrivedMs;
		}
	}

	/** Until it is in the database. A message that cannot be written is found by halving, recorded and given up. */
	async #write(messages: readonly Incoming[]): Promise<void> {
		for (let attempt = 0; ; attempt += 1) {
			try {
				this.#onWritten(await writeBatch(this.#options, messages));
				return;
			} catch (error) {
				if (this.#signal.aborted) {
					return;
				}
				this.#options.logger.warn({err: error, messages: messages.length, attempt}, 'a batch was not written');
				if (attempt + 1 >= attemptsBeforeSplit && (await this.#databaseAnswers())) {
					await this.#divide(messages, error);
					return;
				}
				await sleep(backoffMs(attempt, retry), {signal: this.#signal}).catch(() => undefined);
			}
		}
	}

	async #divide(messages: readonly Incoming[], error: unknown): Promise<void> {
		const [first] = messages;
		if (messages.length === 1 && first !== undefined) {
			await this.#giveUp(first, error);
			return;
		}
		const middle = Math.floor(messages.length / 2);
		await this.#write(messages.slice(0, middle));
		await this.#write(messages.slice(middle));
	}

	/** As malformed, so that its box forgets it. When not even that can be written, it is the database and not the message. */
	async #giveUp(message: Incoming, error: unknown): Promise<void> {
		const {kind, box} = message;
		if (kind !== 'malformed') {
			this.stats.dropped += 1;
			this.#options.logger.error({err: error, box, kind}, 'a message was given up');
		}
		const reason = `could not be written: ${errorMessage(error)}`.slice(0, 500);
		await this.#write([{kind: 'malformed', box, topic: kind, reason, place: spoolPlace(message)}]);
	}

	async #databaseAnswers(): Promise<boolean> {
		try {
			await this.#options.store.database.selectFrom('counter').select('name').limit(1).execute();
			return true;
		} catch {
			return false;
		}
	}

	#onWritten({batch, positions, changed, counts}: Written): void {
		this.stats.batches += 1;
		for (const name of ['duplicates', 'unknown', 'malformed', 'stale'] as const) {
			this.stats[name] += counts[name];
		}
		for (const [box, {epoch, telemetry, event}] of positions) {
			this.#acknowledge(box, {version: 1, epoch, telemetry, event});
		}
		for (const part of this.#options.parts) {
			part.afterIngest?.(batch);
		}
		if (changed.length > 0) {
			this.#options.changes.publish(
				changed.length > changedIdsMax ? {kind: 'boxes'} : {kind: 'boxes', ids: [...changed]},
			);
		}
	}

	/** Not waited for: a box that does not hear it sends its records again, and hears it then. */
	#acknowledge(box: string, acknowledged: Acknowledged): void {
		const topic = boxTopic(box as DeviceId, 'acknowledged');
		this.#options.broker.publish(topic, JSON.stringify(acknowledged), {qos: 0}).catch(() => undefined);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#stop.abort();
		this.#room.resolve();
		await this.#running;
	}
}
