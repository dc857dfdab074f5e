import {userInfo} from 'node:os';
import {join} from 'node:path';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {type Service, startService} from '#appliance/supervisor/start-service.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {guardPath} from '#native/broker/guard-path.ts';
import type {AuthorityErrorCode} from '#ota/fleet/authority/authority-error.ts';
import {type Authority, toPem} from '#ota/fleet/authority/open-authority.ts';
import type {ServerAuthority} from '#ota/fleet/authority/open-server-authority.ts';
import type {RevocationList} from '#ota/fleet/authority/publish-revocations.ts';
import type {MosquittoBrokerConfig} from '#ota/fleet/broker/broker-config.ts';
import {
	boxAccessRules,
	brokerFileNames,
	mosquittoConfig,
	serverAccessRules,
} from '#ota/fleet/broker/mosquitto-config.ts';
import {type ProbeTarget, probeBroker, untilRefused} from '#ota/fleet/broker/probe-broker.ts';
import {credentialFiles, writeBrokerFiles} from '#ota/fleet/broker/write-broker-files.ts';
import {keepPort} from '#ota/fleet/device/keep-port.ts';

const startTimeoutMs = 30_000;
/** mosquitto writes its sessions down when it ends. */
const stopTimeoutMs = 20_000;

export type Mosquitto = AsyncDisposable & {
	readonly ports: {readonly box: number; readonly server: number};
	readonly pid: () => number | undefined;
	/** Resolves when the broker refuses what is on the list. */
	readonly load: (list: RevocationList) => Promise<void>;
	/** Gives it a new certificate when the old one has lived two thirds of its life. */
	readonly renewCertificate: () => Promise<void>;
};

export type StartMosquittoOptions = {
	readonly config: MosquittoBrokerConfig;
	readonly stateDirectory: string;
	readonly authority: Authority;
	readonly serverAuthority: ServerAuthority;
	/** Names and addresses in its certificate. */
	readonly hosts: readonly string[];
	readonly list: RevocationList;
	/** Where mosquitto's guard lies (native/broker), null for none; default where it was built to. */
	readonly guard?: string | null | undefined;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly signal: AbortSignal;
};

/** mosquitto as a child of this process, which ends with it; its sessions and retained messages are on disk. */
export const startMosquitto = async (options: StartMosquittoOptions): Promise<Mosquitto> => {
	const {config, stateDirectory, authority, serverAuthority, hosts, clock, logger, signal} = options;
	const directory = join(stateDirectory, 'broker');
	const ports = {
		box: await keepPort({name: 'broker', host: config.host, port: config.port, stateDirectory}),
		server: await keepPort({name: 'broker-server', host: config.serverHost, port: config.serverPort, stateDirectory}),
	};
	let renewAtMs = 0;
	const issue = async (): Promise<void> => {
		const nowMs = clock.nowMs();
		const credentials = await authority.issueServer(hosts);
		await writeBrokerFiles(directory, credentialFiles(credentials));
		renewAtMs = nowMs + ((credentials.notAfterMs - nowMs) * 2) / 3;
	};
	await issue();
	const guard = options.guard === null ? undefined : (options.guard ?? guardPath());
	if (guard === undefined) {
		logger.warn(
			{code: 'OTA_BROKER_UNGUARDED'},
			'mosquitto runs without its guard: native/ was built without its headers',
		);
	}
	await writeBrokerFiles(directory, {
		config: mosquittoConfig({directory, config, ports, user: userInfo().username, guard}),
		boxAccess: boxAccessRules(),
		serverAccess: serverAccessRules(),
		chain: toPem(authority.chain),
		serverChain: serverAuthority.caPem,
		revocations: options.list.pem,
	});
	const probeTarget = {host: addressOf(config.host), port: ports.box, ca: toPem(authority.chain)};
	const service = startService(
		{
			name: 'mosquitto',
			command: config.command,
			args: ['-c', join(directory, brokerFileNames.config)],
			workingDirectory: directory,
			startTimeoutMs,
			stopTimeoutMs,
			readiness: {
				kind: 'probe',
				// Without a certificate the broker refuses, which only a broker that answers can do.
				probe: async (probeSignal) => await answers(probeTarget, probeSignal),
			},
		},
		{logger, signal},
	);
	try {
		await service.ready({signal: AbortSignal.any([signal, AbortSignal.timeout(startTimeoutMs)])});
	} catch (error) {
		const {outputTail} = service.snapshot();
		await service.stop();
		signal.throwIfAborted();
		throw new CodedError<AuthorityErrorCode>('OTA_BROKER_NOT_READY', {
			message: `mosquitto does not start: ${outputTail.at(-1) ?? 'it said nothing'}`,
			cause: error,
			details: {outputTail},
		});
	}
	return {
		ports,
		pid: () => service.snapshot().pid,
		load: async (list) => {
			await writeBrokerFiles(directory, {revocations: list.pem});
			reload(service);
			await untilRefused({authority, list, target: probeTarget, signal});
		},
		renewCertificate: async () => {
			if (clock.nowMs() >= renewAtMs) {
				await issue();
				reload(service);
			}
		},
		[Symbol.asyncDispose]: () => service.stop(),
	};
};

/** The address by which a listener of all addresses is reached from here. */
const addressOf = (host: string): string => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host);

/** mosquitto reads certificates, revocations and access rules anew on SIGHUP, and keeps its connections. */
const reload = (service: Service): void => {
	const {pid} = service.snapshot();
	if (pid !== undefined) {
		process.kill(pid, 'SIGHUP');
	}
};

const answers = async (target: ProbeTarget, signal: AbortSignal): Promise<boolean> => {
	try {
		return (await probeBroker(target, {signal})) === 'accepted';
	} catch (error) {
		return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_SSL_');
	}
};
