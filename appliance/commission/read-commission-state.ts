import {statfs} from 'node:fs/promises';
import type {CommissionState, NetworkFacts, TimeFacts} from '#appliance/commission/commission-schema.ts';
import {judgeCommission} from '#appliance/commission/judge-commission.ts';
import {readNetwork} from '#appliance/commission/read-network.ts';
import {readTime} from '#appliance/commission/read-time.ts';
import type {KeptReport} from '#appliance/commission/report-keeper.ts';
import type {SignalSource} from '#appliance/commission/signal-source.ts';
import type {CommissionConfig} from '#appliance/config/box-config-schema.ts';
import type {LoadedBoxConfig} from '#appliance/config/parse-box-config.ts';
import type {SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import type {Clock} from '#appliance/time/clock.ts';

/** However many browsers look, the system's own files and chrony are asked no more often. */
const factsIntervalMs = 2000;

export type StateReaderOptions = {
	readonly config: Pick<LoadedBoxConfig<unknown>, 'box' | 'fleet'>;
	readonly commission: CommissionConfig;
	readonly status: () => SupervisorStatus;
	readonly claimed: () => Promise<boolean>;
	readonly codeNeeded: () => Promise<boolean>;
	readonly stateLost: string | undefined;
	readonly takesReset: boolean;
	readonly source: SignalSource;
	readonly newestReport: () => KeptReport | undefined;
	readonly clock: Clock;
	readonly signal: AbortSignal;
	readonly readSystem?: (options: StateReaderOptions) => Promise<SystemFacts>;
};

type SystemFacts = {
	readonly network: NetworkFacts;
	readonly time: TimeFacts;
	readonly disk?: {readonly freeBytes: number; readonly totalBytes: number};
};

export const createStateReader = (options: StateReaderOptions): (() => Promise<CommissionState>) => {
	const {clock, readSystem = readSystemFacts} = options;
	let read: {readonly atMs: number; readonly facts: Promise<SystemFacts>} | undefined;
	return async () => {
		const nowMs = clock.monotonicMs();
		if (read === undefined || nowMs - read.atMs >= factsIntervalMs) {
			read = {atMs: nowMs, facts: readSystem(options)};
		}
		const {source, claimed, codeNeeded} = options;
		const [facts, picture, hasClaim] = await Promise.all([read.facts, source.read(), claimed()]);
		const state = stateOf(options, facts, picture);
		const takesToken = state.takesClaim && hasClaim && state.fleet?.enrolled !== true;
		return {...state, codeNeeded: await codeNeeded(), takesToken};
	};
};

const readSystemFacts = async ({config, clock, signal}: StateReaderOptions): Promise<SystemFacts> => {
	const [network, time, disk] = await Promise.all([
		readNetwork(),
		readTime({clock, signal}),
		statfs(config.box.stateDirectory).catch(() => undefined),
	]);
	return {
		...{network, time},
		...(disk === undefined ? {} : {disk: {freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize}}),
	};
};

const stateOf = (
	{config, commission, status, stateLost, takesReset, newestReport}: StateReaderOptions,
	facts: SystemFacts,
	picture: CommissionState['picture'],
): Omit<CommissionState, 'codeNeeded' | 'takesToken'> => {
	const now = status();
	const {model, serial, site, claimFile} = config.fleet ?? {};
	const {satelliteDegreesEast, latitudeDegrees, longitudeDegrees} = commission;
	const report = newestReport();
	const told = {
		...facts,
		box: {
			...{id: config.box.id, kind: config.box.kind, release: now.software.release},
			...(model === undefined ? {} : {model}),
			...(serial === undefined ? {} : {serial}),
			...(site === undefined ? {} : {site}),
		},
		...(now.fleet === undefined ? {} : {fleet: now.fleet}),
		services: now.services.map(({name, state}) => ({name, state})),
		reasons: now.reasons,
		picture,
	};
	return {
		version: 1,
		...told,
		takesClaim: claimFile !== undefined,
		takesReset,
		dish: {
			satelliteDegreesEast,
			...(latitudeDegrees === undefined ? {} : {latitudeDegrees}),
			...(longitudeDegrees === undefined ? {} : {longitudeDegrees}),
		},
		checks: [...judgeCommission({...told, stateLost})],
		...(report === undefined ? {} : {report}),
	};
};
