import {randomUUID} from 'node:crypto';
import {access, constants, mkdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ListenConfig} from '#appliance/config/box-config-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import {listen as listenHttp} from '#appliance/http/listen.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {type Service, startService} from '#appliance/supervisor/start-service.ts';
import type {CacheLayout} from '#stb/cache/cache-layout.ts';
import type {StbErrorCode} from '#stb/error-code.ts';
import {followAccessLog, type Use} from '#stb/serve/nginx/access-log.ts';
import {nginxConfig} from '#stb/serve/nginx/nginx-config.ts';

const nginxPath = '/usr/sbin/nginx';
const probeTimeoutMs = 1000;
/** A port that another program holds stays held; the role ends and its supervisor says so, rather than never being ready. */
const readyTimeoutMs = 15_000;
/** Takes a segment of the highest rung whole. */
const sendBufferBytes = 4 * 1024 * 1024;
const sendBufferMaxPath = '/proc/sys/net/core/wmem_max';

export type Nginx = AsyncDisposable & {
	/** `http://host:port`, without a slash at the end. */
	readonly url: string;
	readonly pid: () => number | undefined;
};

export type NginxOptions = {
	readonly layout: CacheLayout;
	readonly listen: ListenConfig;
	readonly upstreamPort: number;
	readonly pathPrefix: string;
	readonly onUses: (uses: readonly Use[]) => void;
	readonly logger: Logger;
	readonly signal: AbortSignal;
	/** Until nginx must answer. */
	readonly startTimeoutMs?: number;
};

export const isNginxInstalled = async (): Promise<boolean> => {
	try {
		await access(nginxPath, constants.X_OK);
		return true;
	} catch {
		return false;
	}
};

/** The send buffer to ask for, or undefined where this kernel would cut it short. */
const affordableSendBuffer = async (): Promise<number | undefined> => {
	const allowedBytes = Number(await readFile(sendBufferMaxPath, 'utf8').catch(() => '0'));
	return allowedBytes >= sendBufferBytes ? sendBufferBytes : undefined;
};

/** Runs nginx before our own process as a supervised child, and tells of every object that it served. */
export const startNginx = async (options: NginxOptions): Promise<Nginx> => {
	const {layout, listen, logger, signal} = options;
	const directory = join(layout.directory, 'nginx');
	const accessLog = join(directory, 'access.log');
	await rm(directory, {recursive: true, force: true});
	await mkdir(join(directory, 'temporary'), {recursive: true});
	const port = listen.port === 0 ? await freePort(listen.host) : listen.port;
	const readyPath = `/.nginx-${randomUUID()}`;
	const configPath = join(directory, 'nginx.conf');
	await writeFile(
		configPath,
		nginxConfig({
			directory,
			www: layout.www,
			accessLog,
			host: listen.host,
			port,
			upstreamPort: options.upstreamPort,
			pathPrefix: options.pathPrefix,
			readyPath,
			sendBufferBytes: await affordableSendBuffer(),
			asRoot: process.getuid?.() === 0,
		}),
	);
	const probeHost = listen.host === '0.0.0.0' ? '127.0.0.1' : listen.host === '::' ? '[::1]' : listen.host;
	await using stack = new AsyncDisposableStack();
	const closing = new AbortController();
	const following = followAccessLog({
		path: accessLog,
		onUses: options.onUses,
		logger,
		signal: closing.signal,
	}).catch((error: unknown) => {
		logger.error({err: error}, 'the log of nginx cannot be followed; the cache does not learn what is used');
	});
	stack.defer(async () => {
		closing.abort();
		await following;
	});
	const service = stack.use(
		startService(
			{
				name: 'nginx',
				command: nginxPath,
				args: ['-e', 'stderr', '-p', directory, '-c', configPath],
				readiness: {
					kind: 'probe',
					probe: async (ended) => {
						const timeout = AbortSignal.any([ended, AbortSignal.timeout(probeTimeoutMs)]);
						return (await fetch(`http://${probeHost}:${port}${readyPath}`, {signal: timeout})).status === 204;
					},
				},
				stopTimeoutMs: 5000,
			},
			{logger, signal},
		),
	);
	await untilReady(service, options);
	const owned = stack.move();
	return {
		url: `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
		pid: () => service.snapshot().pid,
		[Symbol.asyncDispose]: async () => await owned.disposeAsync(),
	};
};

const untilReady = async (
	service: Service,
	{listen, signal, startTimeoutMs = readyTimeoutMs}: NginxOptions,
): Promise<void> => {
	try {
		await service.ready({signal: AbortSignal.any([signal, AbortSignal.timeout(startTimeoutMs)])});
	} catch (error) {
		signal.throwIfAborted();
		throw new CodedError<StbErrorCode>('STB_NGINX_NOT_READY', {
			message: `nginx does not answer on ${listen.host}:${listen.port}; another program may hold that port, and the log has nginx's own words.`,
			cause: error,
			details: {host: listen.host, port: listen.port},
			retryable: true,
		});
	}
};

/** nginx cannot be asked which port it took. */
const freePort = async (host: string): Promise<number> => {
	await using listener = await listenHttp({handler: () => undefined, host, port: 0});
	return listener.port;
};
