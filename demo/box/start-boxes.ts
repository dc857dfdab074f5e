import {fileURLToPath} from 'node:url';
import {type BoxKind, boxKinds} from '#appliance/contract/box-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {type Service, startService} from '#appliance/supervisor/start-service.ts';
import type {DemoErrorCode} from '#demo/error-code.ts';

/** A machine that does much else starts three pairs of Node processes slowly. */
const startTimeoutMs = 120_000;
const stopTimeoutMs = 20_000;

const root = fileURLToPath(new URL('../..', import.meta.url));

export type Boxes = AsyncDisposable & {
	/** Kills a box's process group at once, as a power cut would; its supervisor's supervisor (we) starts it again. */
	readonly service: (kind: BoxKind) => Service;
	/** Of the supervisors' process groups that run now. */
	readonly pids: () => readonly number[];
};

/** Starts each box as its own supervisor process and waits until all of them say that they are ready. */
export const startBoxes = async (options: {
	readonly files: Readonly<Record<BoxKind, string>>;
	readonly logger: Logger;
	readonly signal: AbortSignal;
	readonly onProgress: (line: string) => void;
}): Promise<Boxes> => {
	const {files, logger, signal, onProgress} = options;
	await using stack = new AsyncDisposableStack();
	const services = new Map<BoxKind, Service>();
	const start = (kind: BoxKind): Service => {
		const service = stack.use(
			startService(
				{
					name: kind,
					command: process.execPath,
					args: [`${root}cli/main.ts`, 'supervisor', '--config', files[kind]],
					workingDirectory: root,
					readiness: {kind: 'message'},
					startTimeoutMs,
					stopTimeoutMs,
				},
				{logger, signal: AbortSignal.any([])},
			),
		);
		services.set(kind, service);
		return service;
	};
	const timeout = AbortSignal.timeout(startTimeoutMs);
	const ready = async (kind: BoxKind): Promise<void> => {
		try {
			await start(kind).ready({signal: AbortSignal.any([signal, timeout])});
		} catch (error) {
			signal.throwIfAborted();
			const snapshot = services.get(kind)?.snapshot();
			throw new CodedError<DemoErrorCode>('DEMO_BOX_START_FAILED', {
				message: `The ${kind} was not ready within ${startTimeoutMs / 1000} s: ${snapshot?.statusText ?? 'it said nothing'}.`,
				cause: error,
				details: {kind, lastFailure: snapshot?.lastFailure, outputTail: snapshot?.outputTail},
			});
		}
		onProgress(`the ${kind} is ready`);
	};
	await Promise.all(boxKinds.map(ready));
	const owned = stack.move();
	return {
		pids: () => [...services.values()].flatMap((service) => service.snapshot().pid ?? []),
		service: (kind) => {
			const service = services.get(kind);
			if (service === undefined) {
				throw new CodedError<DemoErrorCode>('DEMO_BOX_START_FAILED', {message: `There is no ${kind}.`});
			}
			return service;
		},
		[Symbol.asyncDispose]: async () => {
			// All at once: each may take its time to stop.
			await Promise.all([...services.values()].map((service) => service.stop()));
			await owned.disposeAsync();
		},
	};
};
