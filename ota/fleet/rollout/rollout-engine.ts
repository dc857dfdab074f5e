import type {CarouselOrders} from '#appliance/contract/fleet/carousel-orders-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Changes} from '#ota/fleet/fleet-part.ts';
import {readCarouselOrders, signBroadcasts} from '#ota/fleet/rollout/carousel-orders.ts';
import {pushCarouselOrders} from '#ota/fleet/rollout/push-carousel-orders.ts';
import {addMembers} from '#ota/fleet/rollout/rollout-members.ts';
import {parseSpec, parseState} from '#ota/fleet/rollout/rollout-rows.ts';
import {type TurnContext, takeRolloutTurn} from '#ota/fleet/rollout/rollout-turn.ts';

export type EngineContext = TurnContext & {
	readonly logger: Logger;
	readonly changes: Changes;
	/** Headends whose catalogues get `orders.json`. */
	readonly headendUrls: readonly string[];
};

/** What no word of a box wakes (a deadline, a soak time, a retry) waits at most this long. */
const tickMs = 1000;
/** While a fleet updates, some box speaks all the time: what was said in so long is looked at in one turn. */
const gatherMs = 200;
const membersIntervalMs = 30_000;
/** Turns of one rollout before the next has its turn: ordering a hundred thousand boxes must not stop the others. */
const turnsMax = 20;
const pushRetry = {initialMs: 2000, maxMs: 60_000} as const;

type OpenRow = {readonly id: string; readonly state: string; readonly spec: string; readonly started_ms: number | null};

/** Moves every rollout that is under way. One server at a time runs it; two that overlap do no harm. */
export class RolloutEngine {
	readonly #context: EngineContext;
	readonly #membersReadMs = new Map<string, number>();
	readonly #pushes = new Map<string, {pushed: string; failures: number; notBeforeMs: number}>();
	#wake = Promise.withResolvers<void>();

	constructor(context: EngineContext) {
		this.#context = context;
	}

	/** Looks at once and not at the next tick. */
	wake(): void {
		this.#wake.resolve();
	}

	/** Members of this rollout are placed by whoever made it; the engine's own look for late ones comes when it is due. */
	membersRead(id: string): void {
		this.#membersReadMs.set(id, this.#context.clock.nowMs());
	}

	async run({signal}: {readonly signal: AbortSignal}): Promise<void> {
		while (!signal.aborted) {
			this.#wake = Promise.withResolvers<void>();
			const isBusy = await this.runOnce({signal});
			if (!isBusy) {
				const awake = new AbortController();
				const tick = sleep(tickMs, {signal: AbortSignal.any([signal, awake.signal])}).catch(() => undefined);
				await Promise.race([tick, this.#wake.promise]);
				awake.abort();
				await sleep(gatherMs, {signal}).catch(() => undefined);
			}
		}
	}

	/** True when more is to be done at once. */
	async runOnce({signal}: {readonly signal: AbortSignal}): Promise<boolean> {
		let isBusy = false;
		for (const rollout of await this.#openRollouts()) {
			try {
				await this.#joinLate(rollout);
				isBusy = (await this.#takeTurns(rollout.id, signal)) || isBusy;
			} catch (error) {
				signal.throwIfAborted();
				this.#context.logger.warn({err: error, rollout: rollout.id}, 'a rollout could not be moved; it is tried again');
			}
		}
		await this.#broadcast(signal);
		return isBusy;
	}

	async #takeTurns(id: string, signal: AbortSignal): Promise<boolean> {
		for (let turn = 0; turn < turnsMax; turn += 1) {
			signal.throwIfAborted();
			const steps = await takeRolloutTurn(this.#context, id);
			if (steps.length === 0) {
				return false;
			}
			for (const step of steps) {
				if (step.kind === 'pause' || step.kind === 'abort') {
					this.#context.logger.warn({rollout: id, reason: step.reason}, 'a rollout stopped by itself');
				}
			}
			this.#context.changes.publish({kind: 'rollouts', ids: [id]});
			if (steps.some(({kind}) => kind === 'order' || kind === 'give-up' || kind === 'abort')) {
				this.#context.desk.wake();
			}
		}
		return true;
	}

	#openRollouts(): Promise<readonly OpenRow[]> {
		const {database} = this.#context.store;
		return database
			.selectFrom('rollout')
			.select(['id', 'state', 'spec', 'started_ms'])
			.where(({eb, or, exists, selectFrom}) =>
				or([
					eb('state', 'in', ['waiting-approval', 'approved', 'scheduled', 'running', 'paused']),
					eb('state', '=', 'aborted').and(
						exists(
							selectFrom('rollout_box')
								.select('rollout_box.box')
								.whereRef('rollout_box.rollout', '=', 'rollout.id')
								.where('rollout_box.state', '=', 'ordered'),
						),
					),
				]),
			)
			.orderBy('created_ms')
			.orderBy('id')
			.execute();
	}

	/** Boxes that came since: also those that a crash kept from being added when the rollout was made. */
	async #joinLate(row: OpenRow): Promise<void> {
		const spec = parseSpec(row);
		const nowMs = this.#context.clock.nowMs();
		const isClosed = spec.lateJoiners.kind === 'ignore' && row.started_ms !== null;
		const readMs = this.#membersReadMs.get(row.id) ?? Number.NEGATIVE_INFINITY;
		if (parseState(row) === 'aborted' || isClosed || nowMs - readMs < membersIntervalMs) {
			return;
		}
		this.#membersReadMs.set(row.id, nowMs);
		const added = await addMembers(this.#context, {id: row.id, spec});
		if (added > 0) {
			this.#context.changes.publish({kind: 'rollouts', ids: [row.id]});
		}
	}

	async #broadcast(signal: AbortSignal): Promise<void> {
		const {store, desk, clock, headendUrls, places, logger} = this.#context;
		if (places.objectBaseUri === undefined) {
			return;
		}
		try {
			await signBroadcasts(this.#context);
			const orders = await readCarouselOrders(store.database, {desk, nowMs: clock.nowMs()});
			await Promise.all(headendUrls.map((url) => this.#push(url, orders, signal)));
		} catch (error) {
			signal.throwIfAborted();
			logger.warn({err: error}, 'orders for the carousel could not be made');
		}
	}

	/** Each headend by itself: one that is away holds no other up. */
	async #push(url: string, orders: CarouselOrders, signal: AbortSignal): Promise<void> {
		const {clock, logger} = this.#context;
		const text = JSON.stringify(orders);
		const push = this.#pushes.get(url) ?? {pushed: '', failures: 0, notBeforeMs: 0};
		this.#pushes.set(url, push);
		if (push.pushed === text || clock.nowMs() < push.notBeforeMs) {
			return;
		}
		try {
			await pushCarouselOrders(url, orders, {signal});
			Object.assign(push, {pushed: text, failures: 0, notBeforeMs: 0});
			logger.info({headend: url, orders: orders.orders.length}, 'orders are in the carousel');
		} catch (error) {
			signal.throwIfAborted();
			push.notBeforeMs = clock.nowMs() + backoffMs(push.failures, pushRetry);
			push.failures += 1;
			logger.warn({err: error, headend: url}, 'a headend did not take the orders for the carousel');
		}
	}
}
