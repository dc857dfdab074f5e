import type {UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import type {UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Assignment} from '#ota/agent/agent.ts';
import type {AgentStore} from '#ota/agent/agent-store.ts';
import type {BundleShelf} from '#ota/agent/bundle-shelf.ts';
import {executeEffect, type WorkKind} from '#ota/agent/execute-effect.ts';
import type {SettledOptions} from '#ota/agent/settled-options.ts';
import {transition} from '#ota/agent/transition.ts';
import type {UpdateEvent} from '#ota/agent/update-event.ts';
import {
	type EndedState,
	isAbortable,
	isActive,
	isEnded,
	orderIdOf,
	statusOf,
	type UpdateState,
} from '#ota/agent/update-state.ts';
import {nextOrder, type WantedOrders, wantedIds} from '#ota/agent/wanted-orders.ts';
import type {Transition, TransitionContext} from '#ota/agent/ways-out.ts';
import {withinDeadline} from '#ota/agent/within-deadline.ts';
import {withoutStore} from '#ota/agent/without-store.ts';

export type UpdateRunner = {
	readonly start: () => void;
	readonly assign: (order: UpdateOrder | undefined, assignment: Assignment) => void;
	readonly status: () => UpdateStatus;
	/** Resolves when no work is under way, which it is not once the signal was given. */
	readonly settled: () => Promise<void>;
};

export const createUpdateRunner = (options: SettledOptions, store: AgentStore, shelf: BundleShelf): UpdateRunner => {
	const runner = new Runner(options, store, shelf);
	return {
		start: () => runner.start(),
		assign: (order, assignment) => runner.assign(order, assignment),
		status: () => runner.status(),
		settled: () => runner.settled(),
	};
};

const observeTriesMax = 5;

/**
 * Invariants: every event goes through `handle`, which is synchronous and never re-entered; a state is on disk before
 * anything is done in it, and before anybody is told; at most one piece of work is under way, and an answer from an
 * earlier one is not heard.
 */
class Runner {
	readonly #options: SettledOptions;
	readonly #store: AgentStore;
	readonly #shelf: BundleShelf;
	readonly #wanted: WantedOrders = new Map();
	readonly #queue: UpdateEvent[] = [];
	#state: UpdateState;
	#work: AbortController | undefined;
	#cleaning: Promise<void> = Promise.resolve();
	readonly #underWay = new Set<Promise<void>>();
	#handling = false;
	#ready = false;

	constructor(options: SettledOptions, store: AgentStore, shelf: BundleShelf) {
		this.#options = options;
		this.#store = store;
		this.#shelf = shelf;
		this.#state = store.readState() ?? {kind: 'idle', sinceMs: options.clock.nowMs()};
	}

	start(): void {
		if (!this.#store.isTold()) {
			this.#tell();
		}
		if (isActive(this.#state)) {
			this.#track(this.#observe());
		} else {
			this.#ready = true;
			this.#clean(this.#state.kind === 'confirmed');
		}
	}

	assign(order: UpdateOrder | undefined, {origin = 'fleet', expiresMs}: Assignment): void {
		this.#wanted.set(origin, {order, expiresMs});
		try {
			this.#store.forgetFinished(origin, wantedIds(this.#wanted));
		} catch (error) {
			this.#options.logger.error({err: error}, 'the state of updates cannot be written');
		}
		this.#reconcile();
	}

	status(): UpdateStatus {
		const status = statusOf(this.#state);
		return isActive(this.#state) && this.#state.kind === 'fetching'
			? {...status, bytes: this.#shelf.bytesOf(this.#state.job.order)}
			: status;
	}

	async settled(): Promise<void> {
		await Promise.allSettled(this.#underWay);
		await this.#cleaning;
	}

	/** Looks at what was booted, before anything else is done. */
	async #observe(): Promise<void> {
		const {installer, limits, logger, signal, random} = this.#options;
		for (let tries = 0; !signal.aborted; tries++) {
			try {
				const verdict = await withinDeadline(async (bounded) => await installer.bootVerdict({signal: bounded}), {
					what: 'Reading the slots',
					timeoutMs: limits.slotTimeoutMs,
					signal,
				});
				this.#ready = true;
				const {bytes} = this.status();
				this.#handle({kind: 'started', verdict, bytes: bytes ?? {carousel: 0, local: 0, unicast: 0}});
				return;
			} catch (error) {
				if (signal.aborted) {
					return;
				}
				logger.warn({err: error}, 'the installer does not tell what was booted');
				if (tries === observeTriesMax) {
					this.#handle({kind: 'unobservable', detail: errorMessage(error)});
				}
				const delayMs = backoffMs(tries, {initialMs: 200, maxMs: limits.slotTimeoutMs, random});
				await sleep(delayMs, {signal}).catch(() => undefined);
			}
		}
	}

	#handle(event: UpdateEvent): void {
		this.#queue.push(event);
		if (this.#handling) {
			return;
		}
		this.#handling = true;
		try {
			for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
				this.#step(next);
			}
		} finally {
			this.#handling = false;
		}
		this.#reconcile();
	}

	#step(event: UpdateEvent): void {
		const before = this.#state;
		const context = this.#context();
		let next = transition(before, event, context);
		if (next.state === before && next.effects.length === 0) {
			return;
		}
		try {
			this.#store.writeState(next.state, {isNews: isNews(before, next.state)});
		} catch (error) {
			this.#options.logger.error({err: error, code: 'OTA_FAILED_STORE'}, 'the state of updates cannot be written');
			next = withoutStore({before, event, next}, {detail: errorMessage(error), context});
		}
		this.#enter(next);
	}

	#enter({state, effects}: Transition): void {
		const before = this.#state;
		this.#state = state;
		this.#work?.abort(new DOMException('the update went on', 'AbortError'));
		if (isNews(before, state)) {
			this.#tell();
		}
		for (const effect of effects) {
			if (effect.kind === 'clean') {
				this.#clean(effect.keep);
			} else {
				this.#track(this.#do(effect.kind));
			}
		}
	}

	async #do(kind: WorkKind): Promise<void> {
		const {signal} = this.#options;
		const state = this.#state;
		const work = new AbortController();
		this.#work = work;
		await this.#cleaning;
		if (work.signal.aborted || signal.aborted || !isActive(state)) {
			return;
		}
		const bounded = AbortSignal.any([signal, work.signal]);
		const context = {state, options: this.#options, shelf: this.#shelf, signal: bounded};
		let event: UpdateEvent;
		try {
			event = await executeEffect(kind, context);
		} catch (error) {
			if (bounded.aborted) {
				return;
			}
			throw error;
		}
		if (!bounded.aborted) {
			this.#handle(event);
		}
	}

	#clean(keep: boolean): void {
		this.#cleaning = this.#shelf.clean({keep}).catch((error: unknown) => {
			this.#options.logger.warn({err: error}, 'a bundle could not be put away');
		});
	}

	/** What is wanted against what is worked on. Called after every change of either. */
	#reconcile(): void {
		if (!this.#ready || this.#handling || this.#options.signal.aborted) {
			return;
		}
		const state = this.#state;
		const next = nextOrder(this.#wanted, {state, store: this.#store});
		if (isActive(state)) {
			const {origin} = state.job;
			const own = this.#wanted.get(origin);
			const unwanted = own !== undefined && own.order?.orderId !== state.job.order.orderId;
			const outranked = origin !== 'fleet' && next?.origin === 'fleet' && next.order.orderId !== orderIdOf(state);
			if ((unwanted || outranked) && isAbortable(state)) {
				this.#handle({kind: 'withdrawn'});
			}
			return;
		}
		if (next !== undefined) {
			this.#handle({kind: 'assigned', ...next});
		} else if (isEnded(state)) {
			this.#forgetUnwanted(state);
		}
	}

	/** Who took an order back may give it anew. */
	#forgetUnwanted({origin, orderId}: EndedState): void {
		const unwanted = this.#wanted.has(origin) && !wantedIds(this.#wanted).includes(orderId);
		if (unwanted && this.#store.isFinished(orderId)) {
			this.#store.forgetFinished(origin, wantedIds(this.#wanted));
		}
	}

	#tell(): void {
		const status = this.status();
		this.#options.logger.info({phase: status.phase, orderId: status.orderId, reason: status.reason}, 'update');
		this.#options.tell(status);
		try {
			this.#store.markTold();
		} catch (error) {
			this.#options.logger.debug({err: error}, 'the state of updates cannot be written');
		}
	}

	#context(): TransitionContext {
		const {clock, bootId, limits, random} = this.#options;
		return {nowMs: clock.nowMs(), bootId, limits, random};
	}

	#track(work: Promise<void>): void {
		const tracked = work.finally(() => this.#underWay.delete(tracked));
		this.#underWay.add(tracked);
	}
}

/** Whether the fleet is to hear of it. */
const isNews = (before: UpdateState, after: UpdateState): boolean => {
	const [one, other] = [statusOf(before), statusOf(after)];
	return one.phase !== other.phase || one.orderId !== other.orderId || one.attempt !== other.attempt;
};
