import {chmod, mkdir, readdir, readFile, stat, symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {parse} from 'yaml';
import {createLogger} from '#appliance/log/logger.ts';
import {commissionBox} from '#image/seed/commission-box.ts';
import {seedBytesMax, seedPath} from '#image/seed/seed-schema.ts';
import {stbConfigSchema} from '#stb/config-schema.ts';
import {sampleClaim} from '#test/helper/sample-claim.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

/** A box with one network card that is hardware and an EFI system partition that may hold a seed. */
const withNewBox = async (t: ExecutionContext) => {
	const root = await withDirectory(t);
	const stateDirectory = path.join(root, 'state');
	const networkDirectory = path.join(root, 'net');
	const networkFilesDirectory = path.join(root, 'systemd');
	const efi = path.join(root, 'efi');
	const templatePath = path.join(root, 'template.yaml');
	await mkdir(stateDirectory);
	const anchorPath = path.join(root, 'anchor.json');
	await mkdir(networkFilesDirectory);
	await mkdir(path.join(efi, 'streamverse'), {recursive: true});
	await mkdir(path.join(networkDirectory, 'br0'), {recursive: true});
	await writeFile(path.join(networkDirectory, 'br0/address'), '02:00:00:00:00:01\n');
	await mkdir(path.join(networkDirectory, 'eth0/device'), {recursive: true});
	await writeFile(path.join(networkDirectory, 'eth0/address'), '52:54:00:ab:cd:ef\n');
	await writeFile(templatePath, `version: 1\nbox: {kind: stb, stateDirectory: ${stateDirectory}}\n`);
	const seedFile = path.join(efi, seedPath);
	return {
		stateDirectory,
		networkDirectory,
		networkFilesDirectory,
		seedFile,
		anchor: async () => JSON.parse(await readFile(anchorPath, 'utf8')),
		boot: () =>
			commissionBox({
				...{templatePath, stateDirectory, networkDirectory, networkFilesDirectory, kind: 'stb'},
				seedRoots: [path.join(root, 'usb'), efi],
				anchorPath,
				sectionSchemaOf: () => stbConfigSchema,
				logger: createLogger({name: 'test', level: 'silent'}),
			}),
		bring: (seed: unknown) => writeFile(seedFile, typeof seed === 'string' ? seed : JSON.stringify(seed)),
		hostname: () => readFile(path.join(stateDirectory, 'hostname'), 'utf8'),
		box: async () => parse(await readFile(path.join(stateDirectory, 'box.yaml'), 'utf8')),
		efiNames: () => readdir(path.dirname(seedFile)),
	};
};

test('a first boot without a seed gives the box the name of its network card', async (t) => {
	const {boot, box, stateDirectory} = await withNewBox(t);
	await boot();
	t.like(await box(), {box: {id: 'stb-525400abcdef', kind: 'stb'}});
	t.is((await stat(path.join(stateDirectory, 'box.yaml'))).mode & 0o777, 0o600);
});

test('a box without a network card gets a file, too', async (t) => {
	const {boot, box, networkDirectory} = await withNewBox(t);
	await writeFile(path.join(networkDirectory, 'eth0/address'), 'none\n');
	await boot();
	t.like(await box(), {box: {id: 'stb-without-network'}});
});

test('a seed is taken, its claim kept apart, and the seed removed', async (t) => {
	const {boot, bring, box, efiNames, stateDirectory} = await withNewBox(t);
	await bring({version: 1, deviceId: 'nairobi-3', site: 'nairobi', claim: sampleClaim});
	await boot();
	t.like(await box(), {box: {id: 'nairobi-3'}, fleet: {site: 'nairobi'}});
	t.deepEqual(JSON.parse(await readFile(path.join(stateDirectory, 'claim.json'), 'utf8')), sampleClaim);
	t.is((await stat(path.join(stateDirectory, 'claim.json'))).mode & 0o777, 0o600);
	t.deepEqual(await efiNames(), []);
	t.false(JSON.stringify(await box()).includes(sampleClaim.token));
});

test('a box is named by its claim where the seed has no other name', async (t) => {
	const {boot, bring, box, anchor} = await withNewBox(t);
	await bring({version: 1, claim: {...sampleClaim, deviceId: 'nairobi-4'}});
	await boot();
	t.like(await box(), {box: {id: 'nairobi-4'}});
	t.like(await anchor(), {deviceId: 'nairobi-4'});
});

test('what lies where a file is to be written is not followed', async (t) => {
	const {boot, bring, box, stateDirectory} = await withNewBox(t);
	await boot();
	const victim = path.join(stateDirectory, '..', 'of-root');
	await writeFile(victim, 'as it was');
	for (const name of ['box.yaml', 'claim.json', 'hostname']) {
		await symlink(victim, path.join(stateDirectory, `${name}.new`));
	}
	await bring({version: 1, deviceId: 'nairobi-3', claim: sampleClaim});
	await boot();
	t.like(await box(), {box: {id: 'nairobi-3'}});
	t.is(await readFile(victim, 'utf8'), 'as it was');
});

test('whose orders make somebody root is what the first claim said, or a later seed', async (t) => {
	const {boot, bring, anchor, stateDirectory} = await withNewBox(t);
	const {fleet, orderKey} = sampleClaim;
	await boot();
	await t.throwsAsync(anchor(), {code: 'ENOENT'}, 'nobody, yet');
	const claimPath = path.join(stateDirectory, 'claim.json');
	await writeFile(claimPath, JSON.stringify(sampleClaim));
	await boot();
	t.deepEqual(await anchor(), {version: 1, fleet, orderKey, deviceId: 'stb-525400abcdef'});
	// The supervisor may write its claim and its file, and changes nothing by it.
	await writeFile(claimPath, JSON.stringify({...sampleClaim, fleet: 'of-the-supervisor'}));
	await writeFile(path.join(stateDirectory, 'box.yaml'), 'box: {id: another, kind: stb}\n');
	await boot();
	t.like(await anchor(), {fleet, deviceId: 'stb-525400abcdef'});
	await bring({version: 1, site: 'nairobi'});
	await boot();
	t.like(await anchor(), {fleet, deviceId: 'stb-525400abcdef'}, 'a seed without a claim');
	await writeFile(
		path.join(stateDirectory, 'box.yaml'),
		`box: {id: another, kind: stb, stateDirectory: ${stateDirectory}}\n`,
	);
	await bring({version: 1, deviceId: 'nairobi-3', claim: {...sampleClaim, fleet: 'second'}});
	await boot();
	t.like(await anchor(), {fleet: 'second', deviceId: 'nairobi-3'});
});

test('a second boot changes nothing', async (t) => {
	const {boot, box, stateDirectory} = await withNewBox(t);
	await boot();
	await writeFile(path.join(stateDirectory, 'box.yaml'), 'changed: by the fleet\n');
	await boot();
	t.deepEqual(await box(), {changed: 'by the fleet'});
});

test('a seed that is brought later is laid over what the box has', async (t) => {
	const {boot, bring, box} = await withNewBox(t);
	await bring({version: 1, deviceId: 'nairobi-3', site: 'nairobi'});
	await boot();
	await bring({version: 1, site: 'mombasa'});
	await boot();
	t.like(await box(), {box: {id: 'nairobi-3'}, fleet: {site: 'mombasa'}});
});

const isPutAside = test.macro(async (t, seed: unknown, reason: RegExp) => {
	const {boot, bring, box, efiNames, seedFile, stateDirectory} = await withNewBox(t);
	await bring(seed);
	await boot();
	t.like(await box(), {box: {id: 'stb-525400abcdef'}}, 'the box gets its file all the same');
	t.deepEqual((await efiNames()).toSorted(), ['seed.json.reason.txt', 'seed.json.refused']);
	t.regex(await readFile(`${seedFile}.reason.txt`, 'utf8'), reason);
	t.false((await readdir(stateDirectory)).includes('claim.json'), 'nothing of it is taken');
});

test('a seed that is no JSON is put aside with the reason', isPutAside, '{"version": 1, "si', /JSON/u);
test('a seed of another version', isPutAside, {version: 2}, /version/u);
test('a seed with a key that nobody knows', isPutAside, {version: 1, password: 'x'}, /password/u);
test('a seed whose claim is none', isPutAside, {version: 1, claim: {version: 1}}, /claim/u);
test('a seed that is too long, unread', isPutAside, ' '.repeat(seedBytesMax + 1), /at most 131072 bytes/u);
test(
	'a seed whose configuration the supervisor would not start with, its claim left alone',
	isPutAside,
	{version: 1, claim: sampleClaim, config: {stb: {notThere: 1}}},
	/notThere/u,
);

test('a seed that was refused is not tried again, and a good one after it is taken', async (t) => {
	const {boot, bring, box} = await withNewBox(t);
	await bring('no JSON');
	await boot();
	await boot();
	await bring({version: 1, site: 'nairobi'});
	await boot();
	t.like(await box(), {fleet: {site: 'nairobi'}});
});

test('what a cut of power left half-written is written again', async (t) => {
	const {boot, bring, box, efiNames, stateDirectory} = await withNewBox(t);
	// The claim was in place, the box's file only begun, and the seed not yet removed.
	await bring({version: 1, site: 'nairobi', claim: sampleClaim});
	await writeFile(path.join(stateDirectory, 'claim.json'), JSON.stringify(sampleClaim));
	await writeFile(path.join(stateDirectory, 'box.yaml.new'), 'version: 1\nbo');
	await chmod(path.join(stateDirectory, 'box.yaml.new'), 0o644);
	await boot();
	t.like(await box(), {box: {id: 'stb-525400abcdef'}, fleet: {site: 'nairobi'}});
	t.deepEqual((await readdir(stateDirectory)).toSorted(), ['box.yaml', 'claim.json', 'hostname']);
	t.deepEqual(await efiNames(), []);
	t.is((await stat(path.join(stateDirectory, 'box.yaml'))).mode & 0o777, 0o600);
});

test('the box’s name in the fleet is its name on the network, also when a later seed gives it another', async (t) => {
	const {boot, bring, hostname, stateDirectory} = await withNewBox(t);
	await boot();
	t.is(await hostname(), 'stb-525400abcdef\n');
	await bring({version: 1, deviceId: 'n'.repeat(64)});
	await boot();
	t.is(await hostname(), `${'n'.repeat(63)}\n`, 'as long as a label may be');
	await writeFile(path.join(stateDirectory, 'box.yaml'), 'box: [');
	await boot();
	t.is(await hostname(), 'stb-525400abcdef\n', 'a file that nobody understands names nobody');
});

test('the network of a seed becomes files of systemd-networkd, which the next seed with one replaces', async (t) => {
	const {boot, bring, networkFilesDirectory: directory} = await withNewBox(t);
	await writeFile(path.join(directory, '70-other.network'), '');
	const addresses = ['192.0.2.1/24'];
	const card = (end: string) => ({hardwareAddress: `52:54:00:00:00:${end}`, addresses});
	await bring({version: 1, network: [card('01'), card('02')]});
	await boot();
	const file = path.join(directory, '60-seed-525400000001.network');
	t.regex(await readFile(file, 'utf8'), /^Address=192\.0\.2\.1\/24$/mu);
	t.is((await stat(file)).mode & 0o777, 0o644, 'systemd-networkd is not root');
	await bring({version: 1, network: [card('02')]});
	await boot();
	await bring({version: 1, site: 'nairobi'});
	await boot();
	t.deepEqual((await readdir(directory)).toSorted(), ['60-seed-525400000002.network', '70-other.network']);
});

test(
	'a seed whose network could be more than addresses is put aside',
	isPutAside,
	{version: 1, network: [{hardwareAddress: '52:54:00:00:00:01', addresses: ['192.0.2.1/24\n[Match]']}]},
	/network/u,
);
