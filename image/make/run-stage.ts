import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createWriteStream} from 'node:fs';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import {imageDirectory} from '#image/make/recipe.ts';

const linesShown = 25;

export type StageEnvironment = Readonly<Record<string, string>>;

/** Told when a stage begins and when it is over; what it prints goes to a log file. */
export type StageProgress = (stage: string, seconds?: number) => void;

/** `20-system.sh finish`: a script below image/stage and its arguments. */
export type Stage = readonly [script: string, ...args: string[]];

/** By which the libraries of PKCS#11 find a token and its PIN. */
const tokenVariables = /^(?:PKCS11|RAUC_PKCS11|P11_KIT|SOFTHSM2)_/u;

const tokenEnvironment = (): StageEnvironment =>
	Object.fromEntries(
		Object.entries(process.env).flatMap(([name, value]) =>
			tokenVariables.test(name) && value !== undefined ? [[name, value]] : [],
		),
	);

/**
 * Runs one script with nothing in its environment but what it names in its head, and the token that may hold the keys.
 * @throws CodedError IMAGE_STAGE_FAILED with the end of its output; the signal's reason when it aborts.
 */
export const runStage = async (
	stage: Stage,
	options: {
		readonly environment: StageEnvironment;
		readonly logDirectory: string;
		readonly progress: StageProgress;
		readonly signal: AbortSignal;
	},
): Promise<void> => {
	const [script, ...args] = stage;
	const {environment, logDirectory, progress, signal} = options;
	const name = [script.replace(/\.sh$/u, ''), ...args].join('-');
	const logPath = path.join(logDirectory, `${name}.log`);
	const startedMs = performance.now();
	signal.throwIfAborted();
	progress(name);
	const log = createWriteStream(logPath);
	const child = spawn(path.join(imageDirectory, 'stage', script), args, {
		env: {PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', TZ: 'UTC', ...tokenEnvironment(), ...environment},
		stdio: ['ignore', 'pipe', 'pipe'],
		detached: true,
	});
	const end = (): void => void (child.pid !== undefined && process.kill(-child.pid, 'SIGTERM'));
	signal.addEventListener('abort', end, {once: true});
	child.stdout.pipe(log, {end: false});
	child.stderr.pipe(log, {end: false});
	try {
		const [code] = (await once(child, 'close')) as [number | null];
		log.end();
		await once(log, 'close');
		signal.throwIfAborted();
		if (code !== 0) {
			const lines = (await readFile(logPath, 'utf8')).trimEnd().split('\n').slice(-linesShown);
			throw new CodedError<ImageErrorCode>('IMAGE_STAGE_FAILED', {
				message: `The stage ${name} failed (${code}); the end of ${logPath}:\n${lines.join('\n')}`,
			});
		}
	} finally {
		signal.removeEventListener('abort', end);
	}
	progress(name, (performance.now() - startedMs) / 1000);
};
