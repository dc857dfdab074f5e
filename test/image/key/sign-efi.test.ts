import {execFileSync, spawnSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openImageKeys} from '#image/make/image-keys.ts';
import {imageDirectory} from '#image/make/recipe.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withToken} from '#test/helper/with-token.ts';

const script = path.join(imageDirectory, 'key/sign-efi.sh');
const epoch = '1700000000';

const sign = (key: string, certificate: string, from: string, to: string): Buffer => {
	execFileSync(script, [key, certificate, from, to], {stdio: 'pipe', env: {...process.env, SOURCE_DATE_EPOCH: epoch}});
	return readFileSync(to);
};

const isVerified = (certificate: string, file: string): boolean =>
	spawnSync('sbverify', ['--cert', certificate, file], {stdio: 'pipe'}).status === 0;

/** A real EFI program, and a small one. */
const withProgram = async (t: ExecutionContext): Promise<(name: string) => string> => {
	const directory = await withDirectory(t);
	const file = (name: string): string => path.join(directory, name);
	const format = ['--format', 'x86_64-efi', '--prefix', '/EFI/BOOT'];
	execFileSync('grub-mkimage', [...format, '--output', file('program.efi'), 'echo'], {stdio: 'pipe'});
	return file;
};

test('a key signs an EFI program alike from a file and from a token, twice with the same bytes', async (t) => {
	const file = await withProgram(t);
	const keys = openImageKeys(file('keys'), {make: true});
	const {key, certificate} = keys.secureBoot;
	const signed = sign(key, certificate, file('program.efi'), file('signed.efi'));
	t.true(isVerified(certificate, file('signed.efi')));
	t.false(isVerified(file('keys/KEK.pem'), file('signed.efi')), 'another key');
	t.deepEqual(sign(key, certificate, file('program.efi'), file('again.efi')), signed);

	const changed = Buffer.from(signed);
	changed.writeUInt8(changed.readUInt8(4096) ^ 1, 4096);
	writeFileSync(file('changed.efi'), changed);
	t.false(isVerified(certificate, file('changed.efi')), 'one bit changed');

	const uri = await withToken(t, {db: key});
	t.deepEqual(sign(uri('db'), certificate, file('program.efi'), file('token.efi')), signed);
	t.throws(() => sign(uri('none'), certificate, file('program.efi'), file('none.efi')), undefined, 'no such key');
});
