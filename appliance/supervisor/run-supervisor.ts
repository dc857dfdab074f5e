import {readFileSync} from 'node:fs';
import path from 'node:path';
import {z} from 'zod';
import {loadBoxConfig} from '#appliance/config/load-box-config.ts';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import type {SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import {createLogger} from '#appliance/log/logger.ts';
import {openParentChannel, type ParentChannel} from '#appliance/process/parent-channel.ts';
import {runProcess} from '#appliance/process/run-process.ts';
import {planServices} from '#appliance/supervisor/plan-services.ts';
import {startSupervisor} from '#appliance/supervisor/start-supervisor.ts';
import {createSystemNotify} from '#appliance/supervisor/system-notify.ts';

/** What remains after the role was given its time to stop: its process is killed, and reaped. */
const reapTimeoutMs = 5000;

/** The whole supervisor process. The role's section is its own to judge, so a mistake in it is the role's failure. */
export const runSupervisor = async (options: {
	readonly filePath: string;
	readonly roleMainPath: (kind: BoxKind) => string;
}): Promise<never> => {
	const filePath = path.resolve(options.filePath);
	const config = await loadBoxConfig({filePath, sectionSchemaOf: () => z.unknown()});
	const logger = createLogger({name: 'supervisor', level: config.log.level}).child({box: config.box.id});
	const notify = createSystemNotify({environment: process.env, pid: process.pid, logger});
	return runProcess({
		logger,
		stopTimeoutMs: config.supervisor.stopTimeoutMs + reapTimeoutMs,
		onStopping: () => notify.tell({STOPPING: '1', STATUS: 'stopping'}),
		start: async ({signal, stop}) => {
			const parent = openParentChannel({signal, onLost: () => stop('loss of the parent process')});
			let url: string | undefined;
			const tellAll = (status: SupervisorStatus): void => {
				notify.tell({STATUS: statusText(status)});
				tellParent(parent, status, url);
			};
			const plan = planServices({
				config,
				filePath,
				nodePath: process.execPath,
				roleMainPath: options.roleMainPath,
			});
			const supervisor = await startSupervisor({
				config,
				plan,
				release: readRelease(),
				logger,
				signal,
				onChange: tellAll,
			});
			({url} = supervisor);
			// Ready means that the box can be reached and asked, not that there is a picture.
			notify.tell({READY: '1', STATUS: statusText(supervisor.status())});
			void notify.feedWatchdog({isAlive: supervisor.isAlive, signal});
			return supervisor;
		},
	});
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
	const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
	return z.object({version: z.string()}).parse(JSON.parse(text)).version;
};
