import type {ServiceStatus} from '#appliance/contract/supervisor-status-schema.ts';
import type {ServiceState} from '#appliance/supervisor/service-state.ts';
import type {ServiceSnapshot} from '#appliance/supervisor/start-service.ts';

/** So many failures in a row, none of them after a steady run, are a crash loop. */
const crashLoopAttemptsMin = 3;

export type DescribeOptions = {
	readonly name: string;
	readonly mustRun: boolean;
	readonly snapshot: ServiceSnapshot;
	readonly nowMs: number;
	readonly monotonicMs: number;
};

/** A service as the world outside sees it: its monotonic times become Unix times, its state flat. */
export const describeService = ({name, mustRun, snapshot, nowMs, monotonicMs}: DescribeOptions): ServiceStatus => {
	const {state, pid, endpoints, statusText, outputTail, lastFailure} = snapshot;
	const toUnixMs = (timeMs: number): number => Math.round(nowMs - monotonicMs + timeMs);
	return {
		name,
		mustRun,
		state: state.kind,
		sinceMs: toUnixMs(state.sinceMs),
		...(pid === undefined ? {} : {pid}),
		restarts: state.restarts,
		crashLoop: isCrashLoop(state),
		...(isAlive(state) ? {heartbeatAgeMs: Math.max(0, Math.round(monotonicMs - state.heartbeatMs))} : {}),
		...(state.kind === 'waiting' ? {nextStartMs: toUnixMs(state.untilMs)} : {}),
		...(lastFailure === undefined ? {} : {lastFailure: {...lastFailure, atMs: toUnixMs(lastFailure.atMs)}}),
		...(statusText === undefined ? {} : {statusText}),
		endpoints: {...endpoints},
		outputTail: [...outputTail],
	};
};

const isAlive = (state: ServiceState): state is Extract<ServiceState, {kind: 'starting' | 'running'}> =>
	state.kind === 'starting' || state.kind === 'running';

const isCrashLoop = (state: ServiceState): boolean =>
	state.kind !== 'stopped' && state.kind !== 'running' && state.attempt >= crashLoopAttemptsMin;

/** Why the box is not healthy, one sentence a service; empty when it is. */
export const reasonsAgainstHealth = (services: readonly ServiceStatus[]): readonly string[] =>
	services.filter(({mustRun, state}) => mustRun && state !== 'running').map(reasonOf);

const reasonOf = ({name, state, crashLoop, lastFailure}: ServiceStatus): string => {
	const why = lastFailure === undefined ? '' : `, because it ${lastFailure.text}`;
	return `${name} is ${state}${crashLoop ? ' in a crash loop' : ''}${why}`;
};
