import type {CommandArguments} from '#appliance/contract/fleet/command-schema.ts';
import type {Collector} from '#appliance/diagnostics/bundle/collector.ts';
import {makeBundle} from '#appliance/diagnostics/bundle/make-bundle.ts';
import {storeBody} from '#appliance/diagnostics/bundle/store-body.ts';
import type {capturePackets} from '#appliance/diagnostics/command/capture-packets.ts';
import type {identifyBox} from '#appliance/diagnostics/command/identify-box.ts';
import {pingHost} from '#appliance/diagnostics/command/ping-host.ts';
import {testSpeed} from '#appliance/diagnostics/command/test-speed.ts';
import type {StreamSessions} from '#appliance/diagnostics/stream/stream-sessions.ts';
import type {DeviceRequest} from '#appliance/diagnostics/upload/request-device.ts';
import {uploadBody} from '#appliance/diagnostics/upload/upload-body.ts';
import {errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger, LogLevel} from '#appliance/log/logger.ts';
import type {CommandHandler, CommandOutcome, ReceivedCommand} from '#appliance/mqtt/fleet-link.ts';

/** Compressed; what the disk or, when it is full, the memory of a box must bear. */
const bodyBytesMax = 64 * 1024 ** 2;
const codeCharsMax = 64;
const messageCharsMax = 1024;
/** Of a bundle's deadline this much is for making it; the rest is for sending. */
const makingShare = 0.7;

/** What of the box the commands act on. Each may throw; the reason is the reply. */
export type CommandTargets = {
	readonly reboot: (delayMs: number) => Promise<unknown>;
	readonly restartService: (name: string) => Promise<unknown>;
	readonly reloadConfig: () => Promise<unknown>;
	readonly setLogLevel: (level: LogLevel, forMs: number) => Promise<unknown>;
	readonly readSignal: (options: {readonly signal: AbortSignal}) => Promise<unknown>;
	readonly purgeCache: (uriPrefix: string, options: {readonly signal: AbortSignal}) => Promise<unknown>;
	/** Where a ping without a host goes: the fleet. */
	readonly defaultHost: () => string | undefined;
	readonly collectors: () => Promise<readonly Collector[]>;
	readonly redact: () => Promise<(text: string) => string>;
	readonly facts: () => Readonly<Record<string, unknown>>;
	readonly tls: () => DeviceRequest['tls'];
	readonly capture: typeof capturePackets;
	readonly identify: typeof identifyBox;
	/** For bodies that wait for their upload. */
	readonly directory: string;
	readonly streams: Pick<StreamSessions, 'open'>;
};

type Options = Parameters<CommandHandler>[1];

/** Runs what the fleet asks for. The link has verified and parsed it, and sees to it that it runs once. */
export const createCommandHandler =
	(targets: CommandTargets, logger: Logger): CommandHandler =>
	async (command, options) => {
		const log = logger.child({command: command.name, id: command.id});
		log.info('command begins');
		try {
			const result = await execute(command, {targets, logger: log, ...options});
			log.info('command is done');
			return {kind: 'done', ...(result === undefined ? {} : {result})};
		} catch (error) {
			log.warn({err: error}, 'command failed');
			return failure(error, options.signal);
		}
	};

const failure = (error: unknown, signal: AbortSignal): CommandOutcome => ({
	kind: 'failed',
	error: {
		code: (signal.aborted ? 'DIAGNOSTICS_DEADLINE' : (errorCode(error) ?? 'DIAGNOSTICS_COMMAND_FAILED')).slice(
			0,
			codeCharsMax,
		),
		message: errorMessage(error).slice(0, messageCharsMax),
	},
});

type Context = Options & {readonly targets: CommandTargets; readonly logger: Logger};

const execute = async (command: ReceivedCommand, context: Context): Promise<unknown> => {
	const {targets, signal} = context;
	switch (command.name) {
		case 'reboot':
			return await targets.reboot(command.arguments.delayMs);
		case 'restart-service':
			return await targets.restartService(command.arguments.service);
		case 'reload-config':
			return await targets.reloadConfig();
		case 'set-log-level':
			return await targets.setLogLevel(command.arguments.level, command.arguments.forMs);
		case 'ping':
			return await ping(command.arguments, context);
		case 'speed-test':
			return await speedTest(command.arguments, context);
		case 'read-signal':
			return await targets.readSignal({signal});
		case 'purge-cache':
			return await targets.purgeCache(command.arguments.uriPrefix, {signal});
		case 'identify':
			return await targets.identify({seconds: command.arguments.seconds, signal});
		case 'collect-diagnostics':
			return await collectDiagnostics(command.arguments, context);
		case 'capture-packets':
			return await capture(command.arguments, context);
		case 'open-stream':
			targets.streams.open(command.arguments.streamId, command.arguments.stream, command.order);
			return undefined;
	}
};

const ping = async ({host, count}: CommandArguments<'ping'>, {targets, signal}: Context): Promise<unknown> => {
	const target = host ?? targets.defaultHost();
	if (target === undefined) {
		throw new TypeError('No host was named, and the box knows no fleet.');
	}
	return await pingHost({host: target, count}, {signal});
};

/** The box's certificate and its fleet's authority are for the fleet; another server is trusted as the system trusts it. */
const speedTest = async (request: CommandArguments<'speed-test'>, {targets, signal}: Context): Promise<unknown> => {
	const tls = new URL(request.url).hostname === targets.defaultHost() ? targets.tls() : undefined;
	return await testSpeed(request, {tls, signal});
};

const collectDiagnostics = async (
	{uploadUrl, deadlineMs}: CommandArguments<'collect-diagnostics'>,
	context: Context,
): Promise<unknown> => {
	const {targets, logger, progress} = context;
	const signal = AbortSignal.any([context.signal, AbortSignal.timeout(deadlineMs)]);
	const stream = makeBundle({
		collectors: await targets.collectors(),
		redact: await targets.redact(),
		deadlineMs: Math.round(deadlineMs * makingShare),
		signal,
		facts: targets.facts(),
		onProgress: (fraction) => progress(fraction / 2),
	});
	await using body = await storeBody(stream, {directory: targets.directory, bytesMax: bodyBytesMax});
	await uploadBody({
		...{url: uploadUrl, body, tls: targets.tls, logger, signal},
		onProgress: (fraction) => progress((1 + fraction) / 2),
	});
	return {sizeBytes: body.sizeBytes, sha256: body.sha256};
};

const capture = async (
	{uploadUrl, ...request}: CommandArguments<'capture-packets'>,
	{targets, logger, signal, progress}: Context,
): Promise<unknown> => {
	const {stream, ended} = targets.capture(request, {signal});
	await using body = await storeBody(stream, {directory: targets.directory, bytesMax: bodyBytesMax});
	const {truncated} = await ended;
	progress(0.5);
	await uploadBody({
		...{url: uploadUrl, body, tls: targets.tls, logger, signal},
		onProgress: (fraction) => progress((1 + fraction) / 2),
	});
	return {sizeBytes: body.sizeBytes, sha256: body.sha256, truncated};
};
