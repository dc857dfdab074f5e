import {openAsBlob} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join, relative, sep} from 'node:path';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {DemoErrorCode} from '#demo/error-code.ts';

/** Whether a folder holds something that the set-top's page can play: it speaks HLS. */
export const holdsTitle = async (directory: string): Promise<boolean> =>
	(await readdir(directory, {recursive: true})).some((name) => name.toLowerCase().endsWith('.m3u8'));

const isManifest = (path: string): boolean => /\.(m3u8|mpd)$/u.test(path);

/** Sends the sample's files to the headend over HTTP, beside what its folder holds; manifests last, as a tool would. */
export const addSample = async (options: {
	readonly directory: string;
	readonly headendUrl: string;
	readonly signal: AbortSignal;
}): Promise<void> => {
	const {directory, headendUrl, signal} = options;
	const files = (await readdir(directory, {recursive: true, withFileTypes: true}))
		.filter((file) => file.isFile())
		.map((file) => join(file.parentPath, file.name))
		.sort((a, b) => Number(isManifest(a)) - Number(isManifest(b)));
	for (const filePath of files) {
		const path = relative(directory, filePath).split(sep).map(encodeURIComponent).join('/');
		const response = await fetch(`${headendUrl}/catalogue/${path}`, {
			method: 'PUT',
			headers: {'Streamverse-Priority': 'high'},
			body: await openAsBlob(filePath),
			signal,
		});
		await response.body?.cancel();
		if (!response.ok) {
			throw new CodedError<DemoErrorCode>('DEMO_ANSWER_INVALID', {
				message: `The headend answers ${response.status} to the sample's ${path}.`,
				details: {path, status: response.status},
			});
		}
	}
};
