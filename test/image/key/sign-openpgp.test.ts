import {execFile, execFileSync} from 'node:child_process';
import {sign as signNow} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {imageDirectory} from '#image/make/recipe.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withToken} from '#test/helper/with-token.ts';

const script = path.join(imageDirectory, 'key/sign-openpgp.sh');
const epoch = '1700000000';
const runTimeoutMs = 60_000;
/** What OpenPGP hashes behind a file: how it is signed, and when. */
const trailer = Buffer.from('04000108000605026553f10004ff0000000c', 'hex');
const leadingZeroTriesMax = 10_000;

const packets = (...args: readonly string[]): Buffer =>
	execFileSync(script, args, {stdio: 'pipe', env: {...process.env, SOURCE_DATE_EPOCH: epoch}});

/** GRUB's own verdict on each triple of file, signature and key. */
const verdicts = async (directory: string, triples: readonly string[]): Promise<readonly string[]> => {
	const lines = triples.map((triple) => {
		const files = triple.split(' ').map((name) => `(host)${directory}/${name}`);
		return `if verify_detached ${files.join(' ')}; then echo verdict good; else echo verdict bad; fi`;
	});
	writeFileSync(path.join(directory, 'grub.cfg'), `${lines.join('\n')}\nreboot\n`);
	// It wants a terminal.
	const command = ['--quiet', '--return', '--command', `grub-emu --directory=${directory}`, '/dev/null'];
	const {stdout} = await promisify(execFile)('script', command, {
		timeout: runTimeoutMs,
		env: {...process.env, TERM: 'vt100'},
	});
	const told = [...stdout.matchAll(/verdict (\w+)/gu)].map(([, verdict]) => verdict ?? '');
	if (told.length !== triples.length) {
		throw new Error(`GRUB has not told of each: ${JSON.stringify(stdout)}`);
	}
	return told;
};

for (const bits of [2048, 3072, 4096]) {
	test.serial(`GRUB takes what a key of ${bits} bits signed, and nothing else`, async (t) => {
		const directory = await withDirectory(t);
		const file = (name: string): string => path.join(directory, name);
		for (const name of ['db', 'other']) {
			const request = ['req', '-x509', '-new', '-newkey', `rsa:${bits}`, '-noenc', '-subj', `/CN=${name}`];
			execFileSync('openssl', [...request, '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)], {
				stdio: 'pipe',
			});
			writeFileSync(file(`${name}.pgp`), packets('public-key', file(`${name}.pem`)));
		}
		const content = Buffer.from(Array.from({length: 5000}, (_, index) => index % 251));
		writeFileSync(file('kernel'), content);
		content.writeUInt8(content.readUInt8(4000) ^ 1, 4000);
		writeFileSync(file('changed'), content);
		const signature = packets('sign', file('db.key'), file('db.pem'), file('kernel'));
		writeFileSync(file('kernel.sig'), signature);
		writeFileSync(file('other.sig'), packets('sign', file('other.key'), file('other.pem'), file('kernel')));
		t.deepEqual(
			await verdicts(directory, [
				'kernel kernel.sig db.pgp',
				'changed kernel.sig db.pgp',
				'kernel other.sig db.pgp',
				'kernel other.sig other.pgp',
				'kernel kernel.sig other.pgp',
			]),
			['good', 'bad', 'bad', 'good', 'bad'],
		);
		const uri = await withToken(t, {db: file('db.key')});
		t.deepEqual(packets('sign', uri('db'), file('db.pem'), file('kernel')), signature, 'from a token');
	});
}

test.serial('a signature that begins with zeros is as short as OpenPGP wants it', async (t) => {
	const directory = await withDirectory(t);
	const file = (name: string): string => path.join(directory, name);
	const request = ['req', '-x509', '-new', '-newkey', 'rsa:2048', '-noenc', '-subj', '/CN=db'];
	execFileSync('openssl', [...request, '-keyout', file('db.key'), '-out', file('db.pem')], {stdio: 'pipe'});
	const key = readFileSync(file('db.key'));
	const content = Array.from({length: leadingZeroTriesMax}, (_, index) => `release ${index}`).find(
		(each) => signNow('sha256', Buffer.concat([Buffer.from(each), trailer]), key)[0] === 0,
	);
	t.not(content, undefined);
	writeFileSync(file('kernel'), content ?? '');
	writeFileSync(file('db.pgp'), packets('public-key', file('db.pem')));
	const signature = packets('sign', file('db.key'), file('db.pem'), file('kernel'));
	writeFileSync(file('kernel.sig'), signature);
	t.deepEqual(await verdicts(directory, ['kernel kernel.sig db.pgp']), ['good']);
	writeFileSync(file('kernel'), 'release x');
	t.true(signature.length < packets('sign', file('db.key'), file('db.pem'), file('kernel')).length);
});
