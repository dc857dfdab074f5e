import {mkdir, symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {identityDirectoryOf, isClaimed} from '#appliance/identity/identity-files.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

type Box = {readonly stateDirectory: string; readonly claimFile: string; readonly directory: string};

const withBox = async (t: ExecutionContext): Promise<Box> => {
	const root = await withDirectory(t);
	const stateDirectory = path.join(root, 'state');
	return {stateDirectory, claimFile: path.join(root, 'brought.json'), directory: identityDirectoryOf(stateDirectory)};
};

test('a box is nobody’s until something on it says otherwise', async (t) => {
	const box = await withBox(t);
	t.false(await isClaimed(box), 'there is not even a directory');
	await mkdir(box.directory, {recursive: true});
	await writeFile(path.join(box.directory, 'key.pem'), 'a key is made before there is a claim');
	t.false(await isClaimed(box));
	t.false(await isClaimed({...box, claimFile: undefined}));
});

const claimed = test.macro(async (t, claim: (box: Box) => Promise<void>) => {
	const box = await withBox(t);
	await mkdir(path.dirname(box.directory), {recursive: true});
	await claim(box);
	t.true(await isClaimed(box));
});

test('a claim that it kept makes it somebody’s', claimed, async ({directory}) => {
	await mkdir(directory);
	await writeFile(path.join(directory, 'claim.json'), 'also one that is damaged');
});
test('and a certificate alone', claimed, async ({directory}) => {
	await mkdir(directory);
	await writeFile(path.join(directory, 'certificate.pem'), '');
});
test('and a claim that was brought', claimed, async ({claimFile}) => await writeFile(claimFile, '{'));
test('and one that lies where nothing can be read now', claimed, async ({claimFile}) => {
	await symlink('/nowhere/claim.json', claimFile);
});
test('and a directory that cannot be looked into', claimed, async ({directory}) => {
	await writeFile(directory, 'no directory');
});
