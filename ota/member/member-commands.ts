import path from 'node:path';
import {boxCollectors} from '#appliance/diagnostics/bundle/box-collectors.ts';
import type {Collector} from '#appliance/diagnostics/bundle/collector.ts';
import {
	coreDumpCollector,
	crashCollector,
	journalCollectors,
	kernelLogCollector,
	logFileCollectors,
	systemCollectors,
} from '#appliance/diagnostics/bundle/system-collectors.ts';
import {captureByHelper} from '#appliance/diagnostics/command/capture-by-helper.ts';
import {capturePackets} from '#appliance/diagnostics/command/capture-packets.ts';
import type {CommandTargets} from '#appliance/diagnostics/command/handle-commands.ts';
import {identifyBox} from '#appliance/diagnostics/command/identify-box.ts';
import {identifyByHelper} from '#appliance/diagnostics/command/identify-by-helper.ts';
import {formatLogLine} from '#appliance/diagnostics/log/log-line.ts';
import type {LogRing} from '#appliance/diagnostics/log/log-ring.ts';
import {readRoleValues} from '#appliance/diagnostics/probe/role-values.ts';
import type {StreamSessions} from '#appliance/diagnostics/stream/stream-sessions.ts';
import type {SystemHelpers} from '#appliance/diagnostics/system-helpers.ts';
import type {DeviceRequest} from '#appliance/diagnostics/upload/request-device.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import {type Logger, type LogLevel, setLogLevel} from '#appliance/log/logger.ts';
import type {RunningSupervisor} from '#appliance/supervisor/start-supervisor.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {MemberErrorCode} from '#ota/member/error-code.ts';
import type {BoxSecrets} from '#ota/member/member-secrets.ts';
import {fleetStatusOf, type MemberState} from '#ota/member/member-state.ts';
import type {TryRole} from '#ota/member/overlay-keeper.ts';

const orderTimeoutMs = 10_000;

export type MemberCommandsOptions = {
	readonly state: MemberState;
	readonly supervisor: RunningSupervisor;
	readonly tryRole: TryRole;
	readonly reboot: (delayMs: number) => Promise<unknown>;
	readonly streams: StreamSessions;
	readonly helpers?: SystemHelpers | undefined;
	readonly ring: LogRing | undefined;
	readonly directory: string;
	readonly secrets: BoxSecrets;
	readonly logger: Logger;
	readonly signal: AbortSignal;
};

/** What the commands of the fleet act on. */
export const memberCommands = (options: MemberCommandsOptions): CommandTargets => {
	const {state, supervisor, tryRole, secrets, directory} = options;
	const {id, kind} = state.config.box;
	return {
		reboot: options.reboot,
		restartService: (name) => {
			serviceOf(supervisor, name).restart('the fleet asked for it');
			return Promise.resolve({service: name});
		},
		reloadConfig: async () => ({restarted: await state.overlay.reload(tryRole)}),
		setLogLevel: createLogLevel(options),
		readSignal: async ({signal}) => await readSignal(supervisor, signal),
		purgeCache: async (uriPrefix, {signal}) =>
			await serviceOf(supervisor, kind).ask(
				{kind: 'purge-cache', uriPrefix},
				{signal: AbortSignal.any([signal, AbortSignal.timeout(orderTimeoutMs)])},
			),
		defaultHost: () => state.identity && new URL(state.identity.claim.deviceUrl).hostname,
		collectors: async () => await collectors(options),
		redact: async () => {
			await secrets.readFiles();
			return secrets.redact;
		},
		facts: () => ({box: id, kind, release: state.release, bootId: state.bootId}),
		tls: () => tlsOf(state),
		capture: options.helpers === undefined ? capturePackets : captureByHelper(options.helpers.captureSocket),
		identify: options.helpers === undefined ? identifyBox : identifyByHelper(options.helpers.identifySocket),
		directory: path.join(directory, 'upload'),
		streams: options.streams,
	};
};

/** The box's certificate and whom it trusts, as they are at the moment. */
export const tlsOf = ({identity}: MemberState): DeviceRequest['tls'] => {
	const credentials = identity?.credentials();
	return credentials === undefined || identity === undefined
		? undefined
		: {key: credentials.keyPem, cert: credentials.certificatePem, ca: identity.claim.caPem};
};

const serviceOf = (supervisor: RunningSupervisor, name: string) => {
	const service = supervisor.service(name);
	if (service === undefined) {
		throw new CodedError<MemberErrorCode>('OTA_MEMBER_NO_SERVICE', {message: `This box has no service ${name}.`});
	}
	return service;
};

/** For a while: a level that nobody takes back would fill the log of a box that nobody looks at. */
const createLogLevel = ({state, supervisor, logger, signal}: MemberCommandsOptions): CommandTargets['setLogLevel'] => {
	const usual = state.config.log.level;
	let turn = 0;
	const set = async (level: LogLevel): Promise<boolean> => {
		setLogLevel(logger, level);
		try {
			const limit = AbortSignal.any([signal, AbortSignal.timeout(orderTimeoutMs)]);
			await supervisor.service(state.config.box.kind)?.ask({kind: 'set-log-level', level}, {signal: limit});
			return true;
		} catch (error) {
			logger.warn({err: error}, 'the role did not take the level');
			return false;
		}
	};
	return async (level, forMs) => {
		turn += 1;
		const own = turn;
		const role = await set(level);
		void sleep(forMs, {signal}).then(
			() => (own === turn ? set(usual) : undefined),
			() => undefined,
		);
		return {level, forMs, role};
	};
};

const readSignal = async (supervisor: RunningSupervisor, signal: AbortSignal): Promise<unknown> => {
	const values = await readRoleValues(supervisor.status(), {signal});
	const told = Object.fromEntries(
		Object.entries(values).filter(([name]) => /^(?:receive|signal|repair|objects|uplink)_/u.test(name)),
	);
	if (Object.keys(told).length === 0) {
		throw new CodedError<MemberErrorCode>('OTA_MEMBER_NO_SIGNAL', {message: 'The role tells of no signal at present.'});
	}
	return told;
};

const collectors = async ({state, supervisor, ring, helpers}: MemberCommandsOptions): Promise<readonly Collector[]> => {
	const {box, fleet} = state.config;
	return [
		...boxCollectors({
			config: () => state.overlay.config() ?? state.config,
			supervisorStatus: supervisor.status,
			linkStatus: () => ({...fleetStatusOf(state), desired: state.link?.desired()?.revision}),
			roleEndpoints: () => supervisor.status().services.find(({name}) => name === box.kind)?.endpoints ?? {},
			logLines: () => (ring?.lines() ?? []).map(formatLogLine),
		}),
		...systemCollectors,
		kernelLogCollector(helpers?.kernelLogSocket),
		...(ring === undefined ? [...journalCollectors, coreDumpCollector] : []),
		crashCollector(fleet.crashDirectory === undefined ? [] : [fleet.crashDirectory]),
		...(fleet.logDirectory === undefined ? [] : await logFileCollectors(fleet.logDirectory)),
	];
};
