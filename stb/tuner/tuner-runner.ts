import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Tuner} from '#native/dvb/tuner.ts';
import {waitForLock} from '#native/dvb/wait-for-lock.ts';
import type {AnnouncementListener} from '#stb/tuner/announcement-listener.ts';
import type {Carrier} from '#stb/tuner/carrier.ts';
import type {CarrierKeeper} from '#stb/tuner/carrier-keeper.ts';
import {createDamageMeter, type DamageMeter} from '#stb/tuner/damage-meter.ts';
import type {Pump} from '#stb/tuner/pump.ts';
import {createSignalMeter, type SignalMeter, type SignalReading} from '#stb/tuner/signal-meter.ts';
import {tuneCarrier} from '#stb/tuner/tune-carrier.ts';
import type {TunerConfig} from '#stb/tuner/tuner-config.ts';
import {
	carrierOf,
	firstAgain,
	type TunerEvent,
	type TunerState,
	transition,
	tunerStateAtStart,
} from '#stb/tuner/tuner-state.ts';

/** A look that is late by more is one that the driver does not answer. */
const lookLateMaxMs = 1000;

export type TunerRunnerOptions = {
	readonly config: TunerConfig;
	readonly keeper: CarrierKeeper;
	/** Throws when there is no tuner, or it is taken. */
	readonly open: () => Tuner;
	/** Begins to take the datagrams of a carrier that is locked. */
	readonly openPump: (options: {
		readonly tuner: Tuner;
		readonly carrier: Carrier;
		readonly signal: AbortSignal;
	}) => Pump;
	readonly listener: AnnouncementListener;
	/** What a carrier without an announcement tells of its network by its own tables. */
	readonly tableCarriers: (tuner: Tuner, options: {readonly signal: AbortSignal}) => Promise<readonly Carrier[]>;
	readonly clock: Clock;
	readonly logger: Logger;
};

export type TunerFigures = {
	readonly state: TunerState;
	readonly name: string;
	readonly signal: SignalReading;
	readonly sectionErrors: number;
	readonly sectionErrorsPerMinute: number;
	readonly overruns: number;
	readonly droppedBytes: number;
	readonly losses: number;
};

/**
 * Turns the tuner's state machine: one loop, in which each state waits for its own events. It owns the device, and the pump
 * that runs from a lock until the carrier is left.
 */
export class TunerRunner {
	readonly #options: TunerRunnerOptions;
	readonly #damage: DamageMeter = createDamageMeter();
	readonly #meter: SignalMeter;
	#state: TunerState;
	#tuner: Tuner | undefined;
	#pump: Pump | undefined;
	#name: string;
	#losses = 0;
	/** A device that opens and fails is not asked in one breath. */
	#failedLast = false;
	/** Of pumps that are no more. */
	#before = {overruns: 0, dropped: 0};

	constructor(options: TunerRunnerOptions) {
		this.#options = options;
		const {source, statisticsIntervalMs} = options.config;
		const {monotonicMs} = options.clock;
		this.#meter = createSignalMeter({monotonicMs, ageMaxMs: statisticsIntervalMs + lookLateMaxMs});
		this.#state = tunerStateAtStart(options.keeper.known);
		this.#name = source.kind === 'kernel' ? `adapter${source.adapter}/frontend${source.frontend}` : source.kind;
	}

	figures(): TunerFigures {
		const {overruns, dropped} = this.#pump?.stats() ?? {overruns: 0, dropped: 0};
		return {
			...{state: this.#state, name: this.#name, signal: this.#meter.reading(), losses: this.#losses},
			sectionErrors: this.#damage.total(),
			sectionErrorsPerMinute: this.#damage.perMinute(),
			overruns: this.#before.overruns + overruns,
			droppedBytes: this.#before.dropped + dropped,
		};
	}

	/** Until the signal aborts; leaves nothing open. */
	async run({signal}: {readonly signal: AbortSignal}): Promise<void> {
		try {
			while (!signal.aborted) {
				const event = await this.#next(signal).catch((error: unknown) => this.#failed(error, signal));
				await this.#apply(event);
			}
		} finally {
			await this.#closeTuner();
		}
	}

	async #apply(event: TunerEvent | undefined): Promise<void> {
		if (event === undefined) {
			return;
		}
		const before = this.#state;
		this.#state = transition(before, event);
		if (this.#state.kind !== before.kind) {
			this.#losses += this.#state.kind === 'lost' ? 1 : 0;
			this.#options.logger.info({from: before.kind, to: this.#state.kind, carrier: carrierOf(this.#state)}, 'tuner');
		}
		if (this.#state.kind === 'absent') {
			await this.#closeTuner();
		} else if (carrierOf(this.#state) !== carrierOf(before) || this.#state.kind === 'searching') {
			await this.#closePump();
		}
	}

	/** A device that answers with an error is closed and asked for again: whatever it was, opening it tells. */
	#failed(error: unknown, signal: AbortSignal): TunerEvent | undefined {
		if (signal.aborted) {
			return undefined;
		}
		this.#options.logger.warn({err: error, state: this.#state.kind}, 'the tuner fails; it is opened anew');
		this.#failedLast = true;
		return {kind: 'gone'};
	}

	#next(signal: AbortSignal): Promise<TunerEvent | undefined> {
		switch (this.#state.kind) {
			case 'absent':
				return this.#openTuner(signal);
			case 'idle':
				return sleep(this.#options.config.reopenDelayMs, {signal}).then(() => undefined);
			case 'searching':
				return this.#search(this.#options.config.lockTimeoutMs, signal);
			case 'announcing':
				return this.#awaitAnnouncement(signal);
			case 'acquiring':
				return this.#watch(signal);
			case 'lost':
				return this.#awaitReturn(signal);
		}
	}

	async #openTuner(signal: AbortSignal): Promise<TunerEvent | undefined> {
		const {open, logger, config} = this.#options;
		if (this.#failedLast) {
			this.#failedLast = false;
			await sleep(config.reopenDelayMs, {signal});
		}
		try {
			this.#tuner = open();
			this.#name = this.#tuner.name;
			return {kind: 'opened'};
		} catch (error) {
			logger.debug({err: error}, 'there is no tuner to open');
			await sleep(config.reopenDelayMs, {signal});
			return undefined;
		}
	}

	/** Tunes to the state's carrier and waits for its lock. */
	async #search(timeoutMs: number, signal: AbortSignal): Promise<TunerEvent> {
		const tuner = this.#requireTuner();
		const carrier = carrierOf(this.#state);
		if (carrier === undefined) {
			return {kind: 'timeout'};
		}
		this.#meter.retune();
		if (!(await tuneCarrier(tuner, carrier, {...this.#options, signal}))) {
			return {kind: 'timeout'};
		}
		const {lockMs} = await waitForLock(this.#meter.watch(tuner, carrier), {timeoutMs, signal});
		return lockMs === undefined ? {kind: 'timeout'} : {kind: 'locked', lockMs: Math.round(lockMs)};
	}

	async #awaitAnnouncement(signal: AbortSignal): Promise<TunerEvent> {
		const {config, listener, clock} = this.#options;
		this.#listen(signal);
		const untilMs = clock.monotonicMs() + config.announceTimeoutMs;
		while (clock.monotonicMs() < untilMs) {
			if (!(await this.#holdsLock(signal))) {
				return {kind: 'unlocked'};
			}
			const heard = listener.announcement();
			if (heard.kind !== 'silence') {
				this.#learn(heard.carriers);
				return heard.kind === 'wanted' ? {kind: 'announced'} : {kind: 'told', carriers: [], elsewhere: true};
			}
		}
		return this.#requireTuner().format === 'ts' ? await this.#readTables(signal) : {kind: 'timeout'};
	}

	/** Tables may take minutes: meanwhile the signal is looked at, and a lock that goes ends it. */
	async #readTables(signal: AbortSignal): Promise<TunerEvent> {
		const stop = new AbortController();
		const until = AbortSignal.any([signal, stop.signal]);
		const tables = this.#options.tableCarriers(this.#requireTuner(), {signal: until});
		const loss = this.#untilLost(until);
		try {
			const carriers = await Promise.race([tables, loss]);
			this.#learn(carriers ?? []);
			return {kind: carriers === undefined ? 'unlocked' : 'timeout'};
		} finally {
			stop.abort();
			await Promise.allSettled([tables, loss]);
		}
	}

	async #untilLost(signal: AbortSignal): Promise<undefined> {
		while (await this.#holdsLock(signal)) {
			signal.throwIfAborted();
		}
	}

	/** What is told on the way changes no state. */
	#learn(carriers: readonly Carrier[]): void {
		this.#state = transition(this.#state, {kind: 'told', carriers, elsewhere: false});
	}

	async #watch(signal: AbortSignal): Promise<TunerEvent> {
		while (true) {
			await this.#options.keeper.keep(firstAgain(this.#state));
			if (!(await this.#holdsLock(signal))) {
				return {kind: 'unlocked'};
			}
			const heard = this.#options.listener.announcement();
			if (heard.kind === 'wanted') {
				this.#learn(heard.carriers);
			}
		}
	}

	/** The driver looks for the carrier by itself; now and then it is told again. */
	async #awaitReturn(signal: AbortSignal): Promise<TunerEvent> {
		const {config, clock} = this.#options;
		const untilMs = clock.monotonicMs() + config.relockTimeoutMs;
		while (clock.monotonicMs() < untilMs) {
			const event = await this.#search(config.lockTimeoutMs, signal);
			if (event.kind === 'locked') {
				return event;
			}
		}
		return {kind: 'timeout'};
	}

	/** Looks once; without a lock it looks on for as long as a loss may last. False when it is gone for good. */
	async #holdsLock(signal: AbortSignal): Promise<boolean> {
		const {statisticsIntervalMs, lossPatienceMs} = this.#options.config;
		const tuner = this.#requireTuner();
		await sleep(statisticsIntervalMs, {signal});
		if (this.#pump?.failure !== undefined) {
			throw this.#pump.failure;
		}
		const watched = this.#meter.watch(tuner, carrierOf(this.#state));
		const {lockMs} = await waitForLock(watched, {timeoutMs: lossPatienceMs, signal});
		if (this.#pump !== undefined) {
			this.#damage.take(this.#pump.stats().damage, this.#options.clock.monotonicMs());
		}
		return lockMs !== undefined;
	}

	#listen(signal: AbortSignal): void {
		const carrier = carrierOf(this.#state);
		if (carrier !== undefined && this.#pump === undefined) {
			this.#options.listener.listen(carrier);
			this.#pump = this.#options.openPump({tuner: this.#requireTuner(), carrier, signal});
		}
	}

	async #closePump(): Promise<void> {
		const pump = this.#pump;
		this.#pump = undefined;
		if (pump !== undefined) {
			const {overruns, dropped} = pump.stats();
			this.#before = {overruns: this.#before.overruns + overruns, dropped: this.#before.dropped + dropped};
			await pump[Symbol.asyncDispose]();
		}
	}

	async #closeTuner(): Promise<void> {
		await this.#closePump();
		const tuner = this.#tuner;
		this.#tuner = undefined;
		this.#meter.forget();
		await tuner?.close();
	}

	#requireTuner(): Tuner {
		if (this.#tuner === undefined) {
			throw new Error('a state with a carrier has a tuner');
		}
		return this.#tuner;
	}
}
