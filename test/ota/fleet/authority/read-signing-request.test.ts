import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {readSigningRequest} from '#ota/fleet/authority/read-signing-request.ts';
import {makeBoxKey, makeRequest} from '#test/helper/with-authority.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const opensslRequest = (directory: string, ...args: readonly string[]): string =>
	execFileSync(
		'openssl',
		['req', '-new', '-nodes', '-keyout', join(directory, 'key.pem'), '-outform', 'DER', ...args],
		{
			stdio: ['ignore', 'pipe', 'ignore'],
		},
	).toString('base64');

test('a request of openssl is read, with or without line ends', async (t) => {
	const directory = await withDirectory(t);
	const request = opensslRequest(
		directory,
		'-newkey',
		'ec',
		'-pkeyopt',
		'ec_paramgen_curve:P-256',
		'-subj',
		'/CN=box-1',
	);
	const folded = request.replaceAll(/(.{64})/gu, '$1\r\n');
	t.is(String((await readSigningRequest(request)).deviceId), 'box-1');
	t.is((await readSigningRequest(folded)).keyHash, (await readSigningRequest(request)).keyHash);
});

test('a request without a name is read as one', async (t) => {
	const directory = await withDirectory(t);
	const request = opensslRequest(directory, '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-subj', '/O=x');
	t.is((await readSigningRequest(request)).deviceId, undefined);
});

for (const [what, args] of [
	['an RSA key', ['-newkey', 'rsa:2048', '-subj', '/CN=box-1']],
	['another curve', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-subj', '/CN=box-1']],
	['a name that is no box', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-subj', '/CN=_fleet']],
	['a name with a wildcard', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-subj', '/CN=a#b']],
	['two names', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-subj', '/CN=box-1/CN=box-2']],
] as const) {
	test(`a request with ${what} is refused`, async (t) => {
		const request = opensslRequest(await withDirectory(t), ...args);
		await t.throwsAsync(readSigningRequest(request), {code: 'OTA_EST_REQUEST'});
	});
}

test('a request with a flipped bit anywhere is refused, or says the same', async (t) => {
	const request = Buffer.from(await makeRequest('box-1', makeBoxKey()), 'base64');
	const {keyHash} = await readSigningRequest(request.toString('base64'));
	await fc.assert(
		fc.asyncProperty(fc.nat(request.length * 8 - 1), async (bit) => {
			const bytes = Buffer.from(request);
			bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
			const outcome = await readSigningRequest(bytes.toString('base64')).catch((error: unknown) => error);
			// Bytes outside of what is signed (the outer lengths and tags) may have more than one reading.
			return outcome instanceof Error
				? 'code' in outcome && outcome.code === 'OTA_EST_REQUEST'
				: (outcome as {keyHash: string; deviceId: string}).keyHash === keyHash;
		}),
		{numRuns: 300},
	);
	t.pass();
});

test('whatever is not a request is refused with a code', async (t) => {
	await fc.assert(
		fc.asyncProperty(
			fc.oneof(
				fc.string(),
				fc.base64String({maxLength: 2000}),
				fc.uint8Array({maxLength: 500}).map((bytes) => Buffer.from(bytes).toString('base64')),
			),
			async (text) => {
				const outcome = await readSigningRequest(text).catch((error: unknown) => error);
				return outcome instanceof Error && 'code' in outcome && outcome.code === 'OTA_EST_REQUEST';
			},
		),
		{numRuns: 300},
	);
	t.pass();
});
