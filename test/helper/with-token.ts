import {execFileSync} from 'node:child_process';
import {createPrivateKey} from 'node:crypto';
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {withDirectory} from '#test/helper/with-directory.ts';

const label = 'streamverse';
const pin = '1234';

/**
 * A token of PKCS#11 in software that holds private keys, and told to this process and its children. Answers the URI of a
 * key, with the PIN in it.
 */
export const withToken = async (
	t: ExecutionContext,
	keys: Readonly<Record<string, string>>,
): Promise<(name: string) => string> => {
	const directory = await withDirectory(t);
	const tokens = join(directory, 'tokens');
	const configuration = join(directory, 'softhsm2.conf');
	mkdirSync(tokens);
	writeFileSync(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
	process.env['SOFTHSM2_CONF'] = configuration;
	const run = (...args: readonly string[]): void =>
		void execFileSync('softhsm2-util', [...args, '--pin', pin], {stdio: 'pipe'});
	run('--init-token', '--free', '--label', label, '--so-pin', pin);
	for (const [index, [name, file]] of Object.entries(keys).entries()) {
		const plain = join(directory, 'key.p8');
		writeFileSync(plain, createPrivateKey(readFileSync(file)).export({type: 'pkcs8', format: 'pem'}));
		run('--import', plain, '--token', label, '--label', name, '--id', String(index + 10));
		rmSync(plain);
	}
	return (name) => `pkcs11:token=${label};object=${name};type=private;pin-value=${pin}`;
};
