import type {PlaybackReport} from '#appliance/contract/playback-report.ts';
import type {RoleMessage, RoleOrder} from '#appliance/contract/role-message-schema.ts';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import type {ApplianceErrorCode} from '#appliance/error/error-code.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {createChildOutput} from '#appliance/supervisor/child-output.ts';
import {type Child, type ChildListener, spawnChild} from '#appliance/supervisor/child-process.ts';
import {createPendingOrders} from '#appliance/supervisor/pending-orders.ts';
import type {ServiceDescription} from '#appliance/supervisor/service-description.ts';
import {
	deadlineOf,
	type ServiceEffect,
	type ServiceEvent,
	type ServiceFailure,
	type ServicePolicy,
	type ServiceState,
	transition,
} from '#appliance/supervisor/service-state.ts';
import {spawnUnit} from '#appliance/supervisor/unit-process.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';

export type Service = AsyncDisposable & {
	readonly name: string;
	readonly snapshot: () => ServiceSnapshot;
	/** Resolves when it runs; rejects when the signal aborts or the service was stopped before. */
	readonly ready: (options: {readonly signal: AbortSignal}) => Promise<void>;
	/** Ends the process; the back-off starts the next one. */
	readonly restart: (why: string) => void;
	/** Asks a process of ours, while it runs; rejects when it cannot, will not, or ends before it answers. */
	readonly ask: (order: RoleOrder, options: {readonly signal: AbortSignal}) => Promise<unknown>;
	/** Resolves when the process and its group are gone. Disposal is the same. */
	readonly stop: () => Promise<void>;
};

export type ServiceSnapshot = {
	readonly state: ServiceState;
	readonly pid: number | undefined;
	/** URLs that one of ours told with its `ready`. */
	readonly endpoints: Readonly<Record<string, string>>;
	/** The line for people that one of ours told last. */
	readonly statusText: string | undefined;
	readonly outputTail: readonly string[];
	readonly lastFailure: ServiceFailure | undefined;
};

export type StartServiceOptions = {
	readonly logger: Logger;
	/** Aborting it orders the stop; await `stop()` or dispose to know that it is done. */
	readonly signal: AbortSignal;
	readonly clock?: Clock;
	/** 0..1, for the jitter of the back-off. */
	readonly random?: () => number;
	readonly onChange?: (snapshot: ServiceSnapshot) => void;
	/** What a player told one of ours. */
	readonly onPlayback?: (report: PlaybackReport) => void;
};

const probeIntervalMs = 100;

const policyOf = (description: ServiceDescription): ServicePolicy => ({
	startTimeoutMs: description.startTimeoutMs ?? 30_000,
	stopTimeoutMs: description.stopTimeoutMs ?? 10_000,
	heartbeatTimeoutMs: description.readiness.kind === 'message' ? description.heartbeatTimeoutMs : undefined,
	restartDelayMinMs: description.restartDelayMinMs ?? 500,
	restartDelayMaxMs: description.restartDelayMaxMs ?? 30_000,
	steadyMs: description.steadyMs ?? 60_000,
});

/**
 * Runs one child process for as long as the signal allows: starts it, waits until it is ready, restarts it with back-off
 * when it ends or falls silent, and ends it with everything it started.
 */
export const startService = (description: ServiceDescription, options: StartServiceOptions): Service => {
	const service = new ChildService(description, options);
	service.handle({kind: 'start'});
	if (options.signal.aborted) {
		service.handle({kind: 'stop'});
	}
	options.signal.addEventListener('abort', () => service.handle({kind: 'stop'}), {once: true});
	return service;
};

/**
 * Invariants: every event goes through `handle`, which is synchronous and never re-entered from an effect; at most one
 * child exists; exactly one timer is armed, for the deadline of the present state.
 */
class ChildService implements Service {
	readonly name: string;
	readonly #description: ServiceDescription;
	readonly #options: StartServiceOptions;
	readonly #policy: ServicePolicy;
	readonly #logger: Logger;
	readonly #clock: Clock;
	readonly #output;
	readonly #orders;
	readonly #changed = new Set<() => void>();
	#state: ServiceState;
	#lastFailure: ServiceFailure | undefined;
	#child: Child | undefined;
	#endpoints: Readonly<Record<string, string>> = {};
	#statusText: string | undefined;
	#timer: NodeJS.Timeout | undefined;

	constructor(description: ServiceDescription, options: StartServiceOptions) {
		this.name = description.name;
		this.#description = description;
		this.#options = options;
		this.#policy = policyOf(description);
		this.#logger = options.logger.child({service: description.name});
		this.#clock = options.clock ?? systemClock;
		this.#state = {kind: 'stopped', sinceMs: this.#clock.monotonicMs(), restarts: 0};
		this.#orders = createPendingOrders(description.name);
		this.#output = createChildOutput(this.#logger, this.#clock.monotonicMs);
	}

	snapshot = (): ServiceSnapshot => ({
		state: this.#state,
		pid: this.#child?.pid,
		endpoints: this.#endpoints,
		statusText: this.#statusText,
		outputTail: this.#output.tail(),
		lastFailure: this.#lastFailure,
	});

	ready = async ({signal}: {readonly signal: AbortSignal}): Promise<void> => {
		await this.#until(({kind}) => kind === 'running' || kind === 'stopped', signal);
		if (this.#state.kind === 'stopped') {
			throw new CodedError<ApplianceErrorCode>('APPLIANCE_SERVICE_STOPPED', {
				message: `The service ${this.name} was stopped before it was ready.`,
				details: {service: this.name, outputTail: this.#output.tail()},
			});
		}
	};

	restart = (why: string): void => this.handle({kind: 'restart', text: why});

	ask = (order: RoleOrder, options: {readonly signal: AbortSignal}): Promise<unknown> =>
		this.#orders.ask(order, {...options, tell: (message) => this.#child?.tell(message) === true});

	stop = async (): Promise<void> => {
		this.handle({kind: 'stop'});
		await this.#until(({kind}) => kind === 'stopped');
	};

	[Symbol.asyncDispose] = (): Promise<void> => this.stop();

	handle(event: ServiceEvent): void {
		const before = this.#state;
		const nowMs = this.#clock.monotonicMs();
		const random = this.#options.random ?? Math.random;
		const {state, effects} = transition(before, event, {nowMs, policy: this.#policy, random});
		this.#state = state;
		for (const effect of effects) {
			this.#execute(effect);
		}
		this.#armTimer();
		if (state.kind !== before.kind || event.kind === 'ready') {
			this.#announce(before);
		}
	}

	#execute(effect: ServiceEffect): void {
		switch (effect.kind) {
			case 'spawn':
				this.#spawn();
				break;
			case 'terminate':
				this.#child?.signal(this.#description.stopSignal ?? 'SIGTERM');
				break;
			case 'kill':
				this.#logger.warn('killed: it did not stop in time');
				this.#child?.signal('SIGKILL');
				break;
		}
	}

	#spawn(): void {
		this.#endpoints = {};
		this.#statusText = undefined;
		const ended = new AbortController();
		const listener: ChildListener = {
			onEnded: ({text, spawned}) => {
				ended.abort();
				this.#child = undefined;
				this.#orders.abandon();
				this.handle({kind: 'ended', text, spawned});
			},
			onMessage: (message) => {
				this.#hear(message);
				this.handle({kind: 'heartbeat'});
			},
		};
		const {unit} = this.#description;
		const logger = this.#logger;
		const child =
			unit === undefined
				? spawnChild(this.#description, {listener, output: this.#output, logger})
				: spawnUnit(unit, {listener, logger});
		this.#child = child;
		if (child.pid !== undefined) {
			void this.#watchReadiness(ended.signal);
		}
	}

	#hear(message: RoleMessage): void {
		switch (message.kind) {
			case 'heartbeat':
			case 'begun':
				break;
			case 'status':
				this.#statusText = message.text;
				break;
			case 'ready':
				this.#endpoints = message.endpoints;
				this.handle({kind: 'ready'});
				break;
			case 'answer':
				this.#orders.answer(message);
				break;
			case 'playback':
				this.#options.onPlayback?.(message.report);
				break;
		}
	}

	async #watchReadiness(ended: AbortSignal): Promise<void> {
		const {readiness} = this.#description;
		if (readiness.kind === 'message') {
			return;
		}
		// The event must not be handled inside the effect of another.
		await Promise.resolve();
		while (readiness.kind === 'probe' && !ended.aborted && !(await this.#probe(readiness.probe, ended))) {
			await sleep(readiness.intervalMs ?? probeIntervalMs, {signal: ended}).catch(() => undefined);
		}
		if (!ended.aborted) {
			this.handle({kind: 'ready'});
		}
	}

	/** A probe that throws is an answer: not yet. */
	async #probe(probe: (signal: AbortSignal) => Promise<boolean>, ended: AbortSignal): Promise<boolean> {
		try {
			return await probe(AbortSignal.any([ended, AbortSignal.timeout(this.#policy.startTimeoutMs)]));
		} catch (error) {
			this.#logger.debug({reason: errorMessage(error)}, 'not ready yet');
			return false;
		}
	}

	#armTimer(): void {
		clearTimeout(this.#timer);
		const deadlineMs = deadlineOf(this.#state, this.#policy);
		if (deadlineMs !== undefined) {
			const delayMs = Math.max(1, Math.ceil(deadlineMs - this.#clock.monotonicMs()));
			this.#timer = setTimeout(() => this.handle({kind: 'deadline'}), delayMs);
		}
	}

	#announce(before: ServiceState): void {
		const state = this.#state;
		const facts = {from: before.kind, state: state.kind, restarts: state.restarts, pid: this.#child?.pid};
		if (state.kind === 'waiting') {
			this.#lastFailure = state.failure;
			const delayMs = Math.round(state.untilMs - state.sinceMs);
			const outputTail = this.#output.tail().slice(-5);
			this.#logger.warn(
				{...facts, failure: state.failure, delayMs, outputTail},
				'service failed; it will be restarted',
			);
		} else {
			this.#logger.info(facts, 'service changed');
		}
		this.#options.onChange?.(this.snapshot());
		for (const listener of [...this.#changed]) {
			listener();
		}
	}

	async #until(wanted: (state: ServiceState) => boolean, signal?: AbortSignal): Promise<void> {
		const {promise, resolve, reject} = Promise.withResolvers<void>();
		const look = () => wanted(this.#state) && resolve();
		const abort = () => reject(signal?.reason);
		this.#changed.add(look);
		signal?.addEventListener('abort', abort, {once: true});
		try {
			signal?.throwIfAborted();
			look();
			await promise;
		} finally {
			this.#changed.delete(look);
			signal?.removeEventListener('abort', abort);
		}
	}
}
