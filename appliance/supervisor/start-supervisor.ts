import type {LoadedBoxConfig} from '#appliance/config/parse-box-config.ts';
import type {PlaybackReport} from '#appliance/contract/playback-report.ts';
import type {FleetStatus, SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import {listen} from '#appliance/http/listen.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {describeService, reasonsAgainstHealth} from '#appliance/supervisor/describe-service.ts';
import type {PlannedService} from '#appliance/supervisor/plan-services.ts';
import {type Service, startService} from '#appliance/supervisor/start-service.ts';
import {createStatusApi} from '#appliance/supervisor/status-api.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';

export type RunningSupervisor = AsyncDisposable & {
	readonly url: string;
	readonly status: () => SupervisorStatus;
	/** False when a service that must run has been down for longer than the box's file allows. */
	readonly isAlive: () => boolean;
	/** Undefined when there is no such service. */
	readonly service: (name: string) => Pick<Service, 'restart' | 'ask'> | undefined;
};

export type StartSupervisorOptions = {
	readonly config: Pick<LoadedBoxConfig<unknown>, 'box' | 'supervisor'>;
	readonly plan: readonly PlannedService[];
	readonly release: string;
	readonly logger: Logger;
	readonly signal: AbortSignal;
	readonly clock?: Clock;
	readonly onChange?: (status: SupervisorStatus) => void;
	readonly onPlayback?: (report: PlaybackReport) => void;
	/** How the box stands with its fleet, for the status. */
	readonly fleetStatus?: () => FleetStatus | undefined;
	/** Why the box is not healthy whatever its services do. */
	readonly reasons?: readonly string[];
};

/** Starts everything that the plan names, watches it, and tells its state over HTTP. */
export const startSupervisor = async (options: StartSupervisorOptions): Promise<RunningSupervisor> => {
	const {config, plan, logger, signal, clock = systemClock, onChange} = options;
	const startedMs = clock.nowMs();
	const started: {readonly planned: PlannedService; readonly service: Service}[] = [];
	const upMs = new Map<PlannedService, number>();

	const status = (): SupervisorStatus => {
		const nowMs = clock.nowMs();
		const services = started.map(({planned, service}) =>
			describeService({
				name: service.name,
				mustRun: planned.mustRun,
				snapshot: service.snapshot(),
				nowMs,
				monotonicMs: clock.monotonicMs(),
			}),
		);
		const reasons = [...(options.reasons ?? []), ...reasonsAgainstHealth(services)];
		return {
			version: 1,
			box: {id: config.box.id, kind: config.box.kind},
			nowMs,
			startedMs,
			healthy: reasons.length === 0,
			reasons,
			software: {node: process.versions.node, release: options.release},
			services,
			...fleetPart(options.fleetStatus?.()),
		};
	};

	const isAlive = (): boolean =>
		started.every(({planned, service}) => {
			const nowMs = clock.monotonicMs();
			if (!planned.mustRun || service.snapshot().state.kind === 'running') {
				upMs.set(planned, nowMs);
			}
			return nowMs - (upMs.get(planned) ?? nowMs) <= config.supervisor.serviceOutageMaxMs;
		});

	await using stack = new AsyncDisposableStack();
	// The API comes first: a box whose role cannot start must still be able to say so.
	const {host, port} = config.supervisor.listen;
	const listener = stack.use(await listen({handler: createStatusApi({status, logger}).callback(), host, port}));
	for (const planned of plan) {
		upMs.set(planned, clock.monotonicMs());
		const service = startService(planned.description, {
			...{logger, signal, clock, onChange: () => onChange?.(status())},
			...(options.onPlayback === undefined ? {} : {onPlayback: options.onPlayback}),
		});
		started.push({planned, service});
		stack.use(service);
	}
	logger.info({url: listener.url, services: plan.map(({description}) => description.name)}, 'supervising');
	const resources = stack.move();
	const service = (name: string) => started.find(({service: {name: own}}) => own === name)?.service;
	return {url: listener.url, status, isAlive, service, [Symbol.asyncDispose]: () => resources.disposeAsync()};
};

const fleetPart = (fleet: FleetStatus | undefined): {readonly fleet?: FleetStatus} =>
	fleet === undefined ? {} : {fleet};
