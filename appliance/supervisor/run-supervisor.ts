import {readFileSync, writeSync} from 'node:fs';
import path from 'node:path';
import {z} from 'zod';
import type {RunningCommission} from '#appliance/commission/start-commission.ts';
import {loadBoxConfig} from '#appliance/config/load-box-config.ts';
import type {LoadedBoxConfig} from '#appliance/config/parse-box-config.ts';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import type {CommissionReport} from '#appliance/contract/fleet/commission-report-schema.ts';
import type {SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import {createLogRing, type LogRing} from '#appliance/diagnostics/log/log-ring.ts';
import {createLogger, type Logger} from '#appliance/log/logger.ts';
import {openParentChannel, type ParentChannel} from '#appliance/process/parent-channel.ts';
import {runProcess} from '#appliance/process/run-process.ts';
import {readStateLost} from '#appliance/store/state-lost.ts';
import {readFirewallFault} from '#appliance/supervisor/firewall-fault.ts';
import type {StartMember, SupervisedMember} from '#appliance/supervisor/member-hook.ts';
import {planServices, type RoleUnit} from '#appliance/supervisor/plan-services.ts';
import {startSupervisor} from '#appliance/supervisor/start-supervisor.ts';
import {createSystemNotify} from '#appliance/supervisor/system-notify.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {projectRoot} from '#native/project-root.ts';

/** What remains after the role was given its time to stop: its process is killed, and reaped. */
const reapTimeoutMs = 5000;
/** The picture comes first: what else a box does is loaded when its role is up or has failed, and after so long at the latest. */
const headStartMs = 15_000;

/** The whole supervisor process. The role's section is its own to judge, so a mistake in it is the role's failure. */
export const runSupervisor = async (options: {
	readonly filePath: string;
	readonly roleMainPath: (kind: BoxKind) => string;
	/** Where the role is a unit of its own, and no child. */
	readonly roleUnit?: RoleUnit;
	/** The box's part in its fleet; only a file with a section `fleet` has one. */
	readonly startMember?: StartMember;
	/** Where the technician's page asks for a factory reset; without it there is none. */
	readonly resetRequestFile?: string;
	/** Where initrd and firewall have left their notes of this boot. */
	readonly runDirectory?: string;
}): Promise<never> => {
	const filePath = path.resolve(options.filePath);
	const config = await loadBoxConfig({filePath, sectionSchemaOf: () => z.unknown()});
	const ring = ringOf(config);
	const logger = loggerOf(config, ring);
	const notify = createSystemNotify({environment: process.env, pid: process.pid, logger});
	return runProcess({
		logger,
		stopTimeoutMs: config.supervisor.stopTimeoutMs + reapTimeoutMs,
		onStopping: () => notify.tell({STOPPING: '1', STATUS: 'stopping'}),
		start: async ({signal, stop}) => {
			await using stack = new AsyncDisposableStack();
			const parent = openParentChannel({signal, onStop: stop});
			let url: string | undefined;
			const release = readRelease();
			const member =
				config.fleet === undefined
					? undefined
					: await startMember(options.startMember, {
							config,
							boxFilePath: filePath,
							release,
							logger,
							ring,
							stop,
							signal,
						});
			const stateLost = readStateLost(options.runDirectory);
			if (stateLost !== undefined) {
				logger.error({reason: stateLost}, 'the state of this box is lost');
			}
			const firewallFault = readFirewallFault(options.runDirectory);
			if (firewallFault !== undefined) {
				logger.error({reason: firewallFault}, 'this box is not answering as it should');
			}
			const begun = Promise.withResolvers<void>();
			const tellAll = (status: SupervisorStatus): void => {
				notify.tell({STATUS: statusText(status)});
				tellParent(parent, status, url);
				member?.onStatus(status);
				if (status.services.length > 0 && status.services.every(({state}) => state !== 'starting')) {
					begun.resolve();
				}
			};
			const plan = planServices({
				config,
				filePath: member?.roleFile ?? filePath,
				nodePath: process.execPath,
				roleMainPath: options.roleMainPath,
				roleUnit: options.roleUnit,
				onOutput: ring?.take,
			});
			const supervisor = stack.use(
				await startSupervisor({
					...{
						config,
						plan,
						release,
						logger,
						signal,
						onChange: tellAll,
						reasons: [stateLost, firewallFault].filter((reason) => reason !== undefined),
					},
					...(member === undefined ? {} : {fleetStatus: member.fleetStatus, onPlayback: member.onPlayback}),
				}),
			);
			// Disposed first: it tells the fleet that the box goes, while the role still stops.
			stack.use(member);
			// Ready means that the box can be reached and asked, not that there is a picture.
			notify.tell({READY: '1', STATUS: statusText(supervisor.status())});
			void notify.feedWatchdog({isAlive: supervisor.isAlive, signal});
			await Promise.race([begun.promise, sleep(headStartMs, {signal}).catch(() => undefined)]);
			member?.attach(supervisor);
			// Who cannot use the data partition would not find there that it is to be reset.
			const resetRequestFile = stateLost === undefined ? options.resetRequestFile : undefined;
			const {status} = supervisor;
			stack.use(await openCommission({config, status, member, stop, resetRequestFile, stateLost, logger, signal}));
			({url} = supervisor);
			tellParent(parent, supervisor.status(), url);
			return stack.move();
		},
	});
};

/** Whatever is wrong with the fleet's side of a box, its picture comes first. */
const startMember = async (
	start: StartMember | undefined,
	options: Parameters<StartMember>[0],
): Promise<SupervisedMember | undefined> => {
	try {
		const started: Promise<SupervisedMember> | undefined = start?.(options);
		return await started;
	} catch (error) {
		options.logger.error({err: error}, 'this box cannot take part in its fleet');
		return undefined;
	}
};

/** A page that cannot be opened costs the technician, not the subscriber. */
const openCommission = async (options: {
	readonly config: LoadedBoxConfig<unknown>;
	readonly status: () => SupervisorStatus;
	readonly member: SupervisedMember | undefined;
	readonly stop: (reason: string) => void;
	readonly resetRequestFile: string | undefined;
	readonly stateLost: string | undefined;
	readonly logger: Logger;
	readonly signal: AbortSignal;
}): Promise<RunningCommission | undefined> => {
	const {config, member, logger} = options;
	const {commission} = config.supervisor;
	if (commission === undefined) {
		return undefined;
	}
	try {
		const tellCommissioned = (report: CommissionReport): boolean => member?.tellCommissioned(report) ?? false;
		const {startCommission} = await import('#appliance/commission/start-commission.ts');
		return await startCommission({...options, commission, tellCommissioned});
	} catch (error) {
		logger.error({err: error}, 'the technician’s page cannot be opened');
		return undefined;
	}
};

/** Under systemd the journal keeps what is printed (systemd.exec(5)). */
const ringOf = ({fleet}: LoadedBoxConfig<unknown>): LogRing | undefined =>
	fleet === undefined || process.env['JOURNAL_STREAM'] !== undefined ? undefined : createLogRing();

const loggerOf = ({log, box}: LoadedBoxConfig<unknown>, ring: LogRing | undefined): Logger => {
	const settings = {name: 'supervisor', level: log.level} as const;
	const write = (text: string): void => {
		writeSync(2, text);
		ring?.take(settings.name, text);
	};
	return (ring === undefined ? createLogger(settings) : createLogger(settings, {write})).child({box: box.id});
};

const statusText = ({healthy, reasons, services}: SupervisorStatus): string =>
	healthy
		? `${services.length} of ${services.length} services run: ${services.map(({name}) => name).join(', ')}`
		: reasons.join('; ');

/** To a parent that started us (the demo), ready is when everything runs; then it hears every address. */
const tellParent = (parent: ParentChannel, status: SupervisorStatus, url: string | undefined): void => {
	parent.tell({kind: 'status', text: statusText(status).slice(0, 512)});
	if (status.healthy && url !== undefined) {
		const endpoints = Object.assign({supervisor: url}, ...status.services.map((service) => service.endpoints));
		parent.tell({kind: 'ready', endpoints});
	}
};

const readRelease = (): string => {
	const text = readFileSync(path.join(projectRoot, 'package.json'), 'utf8');
	return z.object({version: z.string()}).parse(JSON.parse(text)).version;
};
