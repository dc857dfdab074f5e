import {rm} from 'node:fs/promises';
import {sleep} from '#appliance/time/sleep.ts';
import type {FluteEvent, FluteObject} from '#native/flute/receiver-event.ts';
import {type ArrivalRecord, applyEvent, createArrivalRecord, hasBegun, isOpen} from '#stb/assemble/arrival.ts';
import {createArrivalCounts} from '#stb/assemble/arrival-counts.ts';
import {type ArrivalRepair, createArrivalRepair} from '#stb/assemble/arrival-repair.ts';
import {type ArrivalReview, createArrivalReview} from '#stb/assemble/arrival-review.ts';
import type {ArrivalEffect, ArrivalEvent} from '#stb/assemble/arrival-state.ts';
import type {AssemblerCounts, AssemblerOptions} from '#stb/assemble/assembler-options.ts';
import {type CacheUpkeep, createCacheUpkeep} from '#stb/assemble/cache-upkeep.ts';
import {createArrivals} from '#stb/assemble/create-arrivals.ts';
import {type ArrivalFacts, describeArrival} from '#stb/assemble/describe-arrival.ts';
import {createSecondChances, type SecondChances} from '#stb/assemble/second-chances.ts';
import {createStoreQueue, type StoreQueue} from '#stb/assemble/store-queue.ts';
import {createTaskSet, type TaskSet} from '#stb/assemble/task-set.ts';
import {wantArrival} from '#stb/assemble/want-arrival.ts';
import type {Arrivals} from '#stb/serve/arrivals.ts';

/** How long the receiver may take to verify an object whose holes are filled. */
const verdictTimeoutMs = 10_000;

/**
 * The bookkeeping between the receiver, which knows packets and files, and the cache, which knows whole objects: decides
 * what is wanted, has it repaired, verifies and stores it, and lets players read it while it arrives.
 *
 * Invariants: a record is in `#byId` while the receiver may still speak of it, and in `#latest` while it is the newest
 * transmission of its URI and not settled; `state` changes only in `#apply`, and its effects follow at once.
 */
export class Assembler implements AsyncDisposable {
	readonly #options: AssemblerOptions;
	/** What serving sees: objects on their way that may be read already. */
	readonly arrivals: Arrivals;
	readonly #repair: ArrivalRepair;
	readonly #storeQueue: StoreQueue;
	readonly #byId = new Map<number, ArrivalRecord>();
	readonly #latest = new Map<string, ArrivalRecord>();
	readonly #begun = new Set<ArrivalRecord>();
	readonly #chances: SecondChances;
	readonly #review: ArrivalReview;
	readonly #upkeep: CacheUpkeep;
	readonly #tasks: TaskSet;
	readonly #stop = new AbortController();
	readonly #counts = createArrivalCounts();

	constructor(options: AssemblerOptions) {
		this.#options = options;
		this.#tasks = createTaskSet(options);
		this.#upkeep = createCacheUpkeep({...options, tasks: this.#tasks});
		this.#repair = createArrivalRepair(options);
		this.#chances = createSecondChances({...options, objectExpiryMs: options.config.cache.objectExpiryMs});
		this.#review = createArrivalReview({
			...{...options, latest: this.#latest, chances: this.#chances},
			apply: (record, event) => this.#apply(record, event),
		});
		const {signal} = this.#stop;
		this.#storeQueue = createStoreQueue({...options, signal});
		this.arrivals = createArrivals({
			latest: (uri) => this.#latest.get(uri),
			repair: this.#repair,
			parts: {...options, config: options.config.repair},
			onReaderLeft: (record) => {
				if (record.superseded && record.readers === 0) {
					this.#apply(record, {kind: 'abandoned', code: 'STB_ARRIVAL_SUPERSEDED'});
				}
			},
			signal,
		});
	}

	get counts(): AssemblerCounts {
		return this.#counts.read();
	}

	/** The arrivals that are under way, the oldest first. */
	list(): readonly ArrivalRecord[] {
		return [...this.#latest.values()];
	}

	/** What the receiver tells; the work that follows runs on its own. */
	handle(events: readonly FluteEvent[]): void {
		if (this.#stop.signal.aborted) {
			return;
		}
		for (const event of events) {
			this.#handleOne(event);
		}
	}

	/** Looks which objects, skipped, evicted or failed before, are worth receiving now; called every few seconds. */
	reconsider(): void {
		this.#review.look();
		this.#chances.reconsider(this.#arrivingBytes());
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#stop.abort();
		await this.#tasks.settled();
	}

	#handleOne(event: FluteEvent): void {
		switch (event.kind) {
			case 'fdt':
				return;
			case 'appeared':
				this.#appear(event.object);
				return;
			case 'progress':
			case 'ended':
				this.#applyTo(event.id, event);
				return;
			case 'complete':
				this.#complete(event);
				return;
			case 'gave-up':
				this.#options.logger.debug({event}, 'the receiver gave an object up');
				this.#gaveUp(event.id, event.code);
				return;
			case 'failed':
				this.#options.onReceiverFailed(event);
				return;
		}
	}

	#gaveUp(id: number, code: string): void {
		const record = this.#byId.get(id);
		if (record !== undefined) {
			this.#upkeep.makeRoom(record.facts, code);
			this.#apply(record, {kind: 'failed', code});
		}
	}

	#appear(object: FluteObject): void {
		const {config, receiver, cache, clock, logger, repairSourceOf} = this.#options;
		const nowMs = clock.nowMs();
		const description = describeArrival(object, {nowMs, objectExpiryMs: config.cache.objectExpiryMs});
		if (description.kind === 'refused') {
			logger.debug({location: object.contentLocation, reason: description.reason}, 'object refused');
			receiver.drop(object.id);
			return;
		}
		const {facts} = description;
		this.#chances.forget(facts.uri);
		this.#supersede(facts);
		const {bytes: usedBytes, budgetBytes} = cache.stats();
		const cached = facts.kind === 'content' ? cache.peek(facts.uri) : undefined;
		const arrivingBytes = this.#arrivingBytes();
		const decision = wantArrival(facts, {budgetBytes, usedBytes, arrivingBytes, cached, nowMs});
		if (decision.kind === 'skipped') {
			receiver.drop(object.id);
			this.#upkeep.renew(facts, cached);
			if (decision.reason === 'cached' || decision.reason === 'no-room') {
				this.#chances.remember(facts, decision.reason);
			}
			return;
		}
		const repairable = (): boolean =>
			config.repair.enabled &&
			facts.kind === 'content' &&
			(facts.encoding === 'identity' || facts.sha256 !== undefined) &&
			repairSourceOf(object) !== undefined;
		const record = createArrivalRecord(facts, {repairable, listedMs: clock.monotonicMs()});
		this.#byId.set(object.id, record);
		this.#latest.set(facts.uri, record);
	}

	/** The newest transmission of a URI is the object; an older one lives on only while somebody reads it. */
	#supersede({uri}: ArrivalFacts): void {
		const older = this.#latest.get(uri);
		if (older === undefined) {
			return;
		}
		older.superseded = true;
		if (older.readers === 0) {
			this.#apply(older, {kind: 'abandoned', code: 'STB_ARRIVAL_SUPERSEDED'});
		}
	}

	#complete(event: Extract<FluteEvent, {kind: 'complete'}>): void {
		const record = this.#byId.get(event.id);
		if (record === undefined) {
			this.#tasks.run(rm(event.path, {force: true}));
			return;
		}
		this.#counts.addRecovered(event.fecRecoveredBytes);
		const {path, sizeBytes, sha256} = event;
		record.whole = {...{path, sizeBytes, sha256}, repaired: event.repairedBytes > 0, encoding: record.facts.encoding};
		this.#byId.delete(event.id);
		this.#apply(record, event);
	}

	#applyTo(id: number, event: ArrivalEvent): void {
		const record = this.#byId.get(id);
		if (record !== undefined) {
			this.#apply(record, event);
		}
	}

	#apply(record: ArrivalRecord, event: ArrivalEvent): void {
		const effects = applyEvent(record, event);
		// A settled record may hear of more (its last reader leaves), and claims no room any more.
		if ((isOpen(record) || record.state.kind === 'verifying') && hasBegun(record)) {
			this.#begun.add(record);
		}
		for (const effect of effects) {
			this.#execute(record, effect);
		}
		record.changes.emit('change');
	}

	#execute(record: ArrivalRecord, effect: ArrivalEffect): void {
		switch (effect) {
			case 'start-repair':
				record.repair.abort = new AbortController();
				this.#tasks.run(this.#runRepair(record, AbortSignal.any([this.#stop.signal, record.repair.abort.signal])));
				return;
			case 'stop-repair':
				record.repair.abort?.abort();
				return;
			case 'store':
				this.#tasks.run(this.#store(record));
				return;
			case 'drop':
				this.#byId.delete(record.id);
				this.#options.receiver.drop(record.id);
				return;
			case 'settle':
				this.#settle(record);
				return;
		}
	}

	async #runRepair(record: ArrivalRecord, signal: AbortSignal): Promise<void> {
		const result = await this.#repair.repair(record, signal);
		switch (result.kind) {
			case 'filled':
				await sleep(verdictTimeoutMs, {signal});
				this.#apply(record, {kind: 'repair-failed', code: 'STB_REPAIR_INCOMPLETE', final: false});
				return;
			case 'fetched':
				if (!isOpen(record)) {
					await rm(result.whole.path, {force: true});
					return;
				}
				record.whole = result.whole;
				this.#execute(record, 'drop');
				this.#apply(record, {kind: 'complete'});
				return;
			case 'repair-failed':
				this.#apply(record, result);
				return;
		}
	}

	async #store(record: ArrivalRecord): Promise<void> {
		this.#apply(record, await this.#storeQueue.store(record));
	}

	#settle(record: ArrivalRecord): void {
		const {facts} = record;
		const begun = this.#begun.delete(record);
		this.#byId.delete(record.id);
		if (this.#latest.get(facts.uri) === record) {
			this.#latest.delete(facts.uri);
		}
		record.settled.resolve();
		const result = this.#counts.settle(record, {begun});
		if (result !== 'over') {
			this.#chances.remember(facts, result === 'stored' ? 'cached' : 'failed');
		}
	}

	/** What has not begun to come may never; only what is coming claims room. */
	#arrivingBytes(): number {
		return this.#begun.values().reduce((sum, {facts}) => sum + facts.object.transferLength, 0);
	}
}
