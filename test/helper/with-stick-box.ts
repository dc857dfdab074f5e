import {cp, mkdir, readdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {ExecutionContext} from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {type TakeStickOptions, takeFolder} from '#image/stick/take-stick.ts';
import {readReports} from '#ota/member/brought-release.ts';
import {sampleClaim} from '#test/helper/sample-claim.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {testReleaseKey, withRelease} from '#test/helper/with-release.ts';

/** A file on a stick may have any name. */
export const broughtName = 'Set-top 2.0.0.RAUCB';

/** A box that trusts the test's release key, or is nobody's yet, and a folder as on a stick. */
export const withStickBox = async (
	t: ExecutionContext,
	{
		claimed = true,
		releaseCaPem = '',
		stateLost,
	}: {readonly claimed?: boolean; readonly releaseCaPem?: string; readonly stateLost?: string} = {},
) => {
	const root = await withDirectory(t);
	const stateDirectory = path.join(root, 'state');
	const folder = path.join(root, 'stick/streamverse');
	await mkdir(path.join(stateDirectory, 'fleet'), {recursive: true});
	await mkdir(folder, {recursive: true});
	if (claimed) {
		const claim = {...sampleClaim, releaseCaPem: releaseCaPem || (await testReleaseKey()).caPem};
		await writeFile(path.join(stateDirectory, 'fleet/claim.json'), JSON.stringify(claim));
	}
	const options: TakeStickOptions = {
		...{
			kind: 'stb',
			compatible: 'lab',
			stateDirectory,
			claimFile: path.join(root, 'claim.json'),
			anchorPath: path.join(root, 'anchor.json'),
			seedRoot: path.join(root, 'seed'),
			mountDirectory: path.join(root, 'mount'),
			stateLost,
		},
		...{nowMs: () => 1000, logger: silentLogger(), signal: new AbortController().signal},
	};
	const stick = path.join(stateDirectory, 'stick');
	const names = async () => (await readdir(stick).catch(() => [])).toSorted();
	const reports = async () => await readReports(stick);
	const report = async () => (await reports()).at(-1);
	return {root, folder, options, stick, names, reports, report, take: () => takeFolder(folder, options)};
};

export type StickBox = Awaited<ReturnType<typeof withStickBox>>;

export const bringRelease = async (
	t: ExecutionContext,
	{folder}: Pick<StickBox, 'folder'>,
	options: Parameters<typeof withRelease>[1] = {},
) => {
	const release = await withRelease(t, options);
	for (const name of ['manifest.json', 'manifest.cms']) {
		await cp(path.join(release.directory, name), path.join(folder, name));
	}
	await writeFile(path.join(folder, broughtName), release.bundle);
	return release;
};
