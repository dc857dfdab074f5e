import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdir, stat} from 'node:fs/promises';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import type {DemoErrorCode} from '#demo/error-code.ts';
import type {DemoOptions} from '#demo/options.ts';
import {chromiumPath} from '#demo/play/open-chromium.ts';

/** What the demo cannot do without is missed before anything starts, not after a minute. */
export const checkPrerequisites = async ({mediaDirectory, forMs}: DemoOptions): Promise<void> => {
	await requireFfmpeg();
	if (forMs !== undefined) {
		await chromiumPath();
	}
	if (mediaDirectory !== undefined) {
		await requireFolder(mediaDirectory);
	}
};

const requireFfmpeg = async (): Promise<void> => {
	const child = spawn('ffmpeg', ['-version'], {stdio: 'ignore'});
	try {
		await once(child, 'close');
	} catch (error) {
		throw new CodedError<DemoErrorCode>('DEMO_FFMPEG_MISSING', {
			message: 'The demo makes its live channel with ffmpeg, which is not here; install Debian’s ffmpeg package.',
			cause: error,
		});
	}
};

const requireFolder = async (path: string): Promise<void> => {
	const invalid = (why: string, cause?: unknown): CodedError =>
		new CodedError<DemoErrorCode>('DEMO_ARGUMENT_INVALID', {message: `--media ${path} ${why}.`, cause});
	let isFolder: boolean;
	try {
		isFolder = (await stat(path)).isDirectory();
	} catch (error) {
		throw invalid(`cannot be read: ${errorMessage(error)}`, error);
	}
	if (!isFolder) {
		throw invalid('is no folder; name the folder that holds the files');
	}
	if ((await readdir(path)).length === 0) {
		throw invalid('is empty');
	}
};
