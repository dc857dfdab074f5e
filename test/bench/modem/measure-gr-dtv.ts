import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {z} from 'zod';

const execute = promisify(execFile);

/** Debian's, which its GNU Radio is built for. */
const python = '/usr/bin/python3';
const frames = 8000;
const installMs = 30 * 60_000;

const figureSchema = z.object({
	version: z.string(),
	frameMsymPerSecond: z.number(),
	shapedMsymPerSecond: z.number(),
});

export type GrDtvFigures = z.infer<typeof figureSchema>;

/** Figures of GNU Radio's gr-dtv on one core; none where it is not installed and not asked for. */
export const measureGrDtv = async ({
	install,
	signal,
	progress,
}: {
	readonly install: boolean;
	readonly signal: AbortSignal;
	readonly progress: (line: string) => void;
}): Promise<GrDtvFigures | undefined> => {
	if (!(await isInstalled(signal))) {
		if (!install) {
			progress('GNU Radio is not installed: absolute figures only (--reference gnuradio installs it)');
			return;
		}
		progress('installing GNU Radio from Debian');
		const timed = AbortSignal.any([signal, AbortSignal.timeout(installMs)]);
		await execute('apt-get', ['install', '--yes', '--no-install-recommends', 'gnuradio'], {signal: timed});
	}
	progress('GNU Radio gr-dtv on one core');
	const script = fileURLToPath(new URL('gr_dtv.py', import.meta.url));
	const {stdout} = await execute(python, [script, String(frames)], {signal});
	return figureSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
};

const isInstalled = async (signal: AbortSignal): Promise<boolean> => {
	try {
		await execute(python, ['-c', 'from gnuradio import dtv'], {signal});
		return true;
	} catch (error) {
		signal.throwIfAborted();
		// An import that fails ends with 1; a machine without Python has no GNU Radio either.
		const {code} = error as {readonly code?: number | string};
		if (code === 1 || code === 'ENOENT') {
			return false;
		}
		throw error;
	}
};
