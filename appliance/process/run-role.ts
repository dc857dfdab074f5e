import {isDeepStrictEqual, parseArgs} from 'node:util';
import type {z} from 'zod';
import {loadBoxConfig} from '#appliance/config/load-box-config.ts';
import type {LoadedBoxConfig} from '#appliance/config/parse-box-config.ts';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import type {RoleMessage, RoleOrder} from '#appliance/contract/role-message-schema.ts';
import {CodedError, errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import {createLogger, type Logger, setLogLevel} from '#appliance/log/logger.ts';
import {exitCode} from '#appliance/process/exit-code.ts';
import {openParentChannel} from '#appliance/process/parent-channel.ts';
import type {RoleContext, RunningRole} from '#appliance/process/role-context.ts';
import {runProcess} from '#appliance/process/run-process.ts';

export type RoleDescription<Config> = {
	readonly kind: BoxKind;
	/** Schema of the section under the kind's name. */
	readonly configSchema: z.ZodType<Config>;
	readonly start: (context: RoleContext<Config>) => Promise<RunningRole<Config>>;
	/** Default: `process.argv` without node and the script. */
	readonly args?: readonly string[];
};

/**
 * The whole of a role's `main.ts`: reads `--config FILE`, starts the role, tells the supervisor over its channel, and
 * ends on SIGTERM, SIGINT, SIGHUP or when the supervisor is gone. Never returns.
 */
export const runRole = async <Config>(role: RoleDescription<Config>): Promise<never> => {
	const loaded = await readConfig(role);
	const {box, log, supervisor} = loaded;
	const logger = createLogger({name: role.kind, level: log.level}).child({box: box.id});
	return runProcess({
		logger,
		// The supervisor kills after stopTimeoutMs; a role that is stuck says so just before.
		stopTimeoutMs: Math.ceil(supervisor.stopTimeoutMs * 0.9),
		start: async ({signal, stop}) => {
			const parent = openParentChannel({signal, onStop: stop});
			const running = await role.start({
				...{box, config: loaded.role, logger, signal},
				tellPlayback: (report) => parent.tell({kind: 'playback', report}),
			});
			parent.onOrder(
				({id, order}) =>
					void obey(order, {role, loaded, running, logger}).then((outcome) =>
						parent.tell({kind: 'answer', id, outcome}),
					),
			);
			parent.tell({kind: 'ready', endpoints: {...running.endpoints}});
			logger.info({endpoints: running.endpoints}, 'ready');
			return running;
		},
	});
};

type Outcome = Extract<RoleMessage, {kind: 'answer'}>['outcome'];

type Obeying<Config> = {
	readonly role: RoleDescription<Config>;
	/** What it was started with. */
	readonly loaded: LoadedBoxConfig<Config>;
	readonly running: RunningRole<Config>;
	readonly logger: Logger;
};

const obey = async <Config>(order: RoleOrder, obeying: Obeying<Config>): Promise<Outcome> => {
	const {logger} = obeying;
	try {
		return {kind: 'done', result: await execute(order, obeying)};
	} catch (error) {
		logger.warn({err: error, order: order.kind}, 'an order of the supervisor failed');
		return {
			kind: 'failed',
			error: {
				code: (errorCode(error) ?? 'APPLIANCE_ORDER_FAILED').slice(0, 64),
				message: errorMessage(error).slice(0, 1024),
			},
		};
	}
};

const execute = async <Config>(
	order: RoleOrder,
	{role, loaded, running, logger}: Obeying<Config>,
): Promise<Record<string, number | string | boolean>> => {
	switch (order.kind) {
		case 'set-log-level':
			setLogLevel(logger, order.level);
			return {level: order.level};
		case 'reconfigure': {
			const next = await loadRoleConfig(role, order.filePath);
			// The log's part of the file is read by a process that starts.
			const isOwn = isDeepStrictEqual(next.log, loaded.log);
			return {taken: isOwn && ((await running.reconfigure?.(next.role)) ?? false)};
		}
		case 'purge-cache':
			if (running.purgeCache === undefined) {
				throw new CodedError('APPLIANCE_ORDER_UNKNOWN', {message: 'This kind of box has no cache to purge.'});
			}
			return {objects: await running.purgeCache(order.uriPrefix)};
	}
};

const loadRoleConfig = <Config>(role: RoleDescription<Config>, filePath: string): Promise<LoadedBoxConfig<Config>> =>
	loadBoxConfig({
		filePath,
		kind: role.kind,
		sectionSchemaOf: (kind) => (kind === role.kind ? role.configSchema : undefined),
	});

const readConfig = async <Config>(role: RoleDescription<Config>): Promise<LoadedBoxConfig<Config>> => {
	try {
		const {values} = parseArgs({
			args: [...(role.args ?? process.argv.slice(2))],
			options: {config: {type: 'string'}},
			strict: true,
		});
		if (values.config === undefined) {
			throw new TypeError(`${role.kind} needs --config FILE`);
		}
		return await loadRoleConfig(role, values.config);
	} catch (error) {
		const configuration = errorCode(error)?.startsWith('APPLIANCE_CONFIG_') === true;
		createLogger({name: role.kind}).fatal({code: errorCode(error)}, errorMessage(error));
		process.exit(configuration ? exitCode.configuration : exitCode.usage);
	}
};
