import {generateKeyPairSync} from 'node:crypto';
import test from 'ava';
import {createKeyLines, redactKeys} from '#appliance/diagnostics/bundle/redact-keys.ts';

const keys: Readonly<Record<string, string>> = {
	ec: generateKeyPairSync('ec', {namedCurve: 'P-256'}).privateKey.export({type: 'pkcs8', format: 'pem'}).toString(),
	'sec1-ec': generateKeyPairSync('ec', {namedCurve: 'P-256'})
		.privateKey.export({type: 'sec1', format: 'pem'})
		.toString(),
	ed25519: generateKeyPairSync('ed25519').privateKey.export({type: 'pkcs8', format: 'pem'}).toString(),
	rsa: generateKeyPairSync('rsa', {modulusLength: 2048}).privateKey.export({type: 'pkcs1', format: 'pem'}).toString(),
};

const time = '2026-11-21T12:00:00+0000 box stb[71]: ';

/** How logs hold a key: as it is, with a time before each line, as JSON's string, and as a string within one. */
const writings: Readonly<Record<string, (text: string) => string>> = {
	plain: (text) => text,
	'with times': (text) => text.replaceAll(/^(?=.)/gmu, time),
	'as JSON': (text) => JSON.stringify({msg: text}),
	'as JSON in JSON': (text) => JSON.stringify({msg: JSON.stringify({text})}),
	'with carriage returns': (text) => text.replaceAll('\n', '\r\n'),
};

const markLine = /-----(?:BEGIN|END)[A-Z ]*-----/u;
const wordMin = 12;

/** What of the key could be read: runs of its base64 that are long enough to be of use to anybody. */
const readable = (text: string, pem: string): readonly string[] => {
	const body = pem.split('\n').filter((line) => line !== '' && !markLine.test(line));
	return body.flatMap((line) =>
		Array.from({length: Math.max(1, line.length - wordMin)}, (_, at) => line.slice(at, at + wordMin)).filter(
			(run) => run.length === wordMin && text.includes(run),
		),
	);
};

for (const [kind, pem] of Object.entries(keys)) {
	for (const [how, write] of Object.entries(writings)) {
		test(`a key of kind ${kind}, written ${how}, is taken out wherever a bound cuts it`, (t) => {
			const text = write(`service started\n${pem}service goes on\n`);
			const begin = text.indexOf('-----BEGIN');
			const end = text.indexOf('-----END');
			for (let cut = begin; cut < end; cut += 7) {
				const tail = redactKeys(text.slice(cut));
				t.deepEqual(readable(tail, pem), [], `cut at ${cut - begin}`);
				t.true(tail.includes('service goes on'));
			}
			t.deepEqual(readable(redactKeys(text), pem), []);
			t.regex(redactKeys(text), /service started[\s\S]*\[removed\][\s\S]*service goes on/u);
			t.deepEqual(readable(redactKeys(text.slice(0, end)), pem), []);
		});
	}
}

test('lines before the rest of a key that are no key’s stay, and so does a certificate', (t) => {
	const certificate = `-----BEGIN CERTIFICATE-----\n${'MIIBszCCAVmg'.repeat(5)}\n-----END CERTIFICATE-----\n`;
	const rest = keys['rsa']?.slice(200) ?? '';
	const redacted = redactKeys(`${certificate}started, in 3 s.\n${rest}done\n`);
	t.is(redacted, `${certificate}started, in 3 s.\n[removed]\ndone\n`);
	t.is(redactKeys(certificate), certificate);
});

test('hostile texts are gone through quickly', (t) => {
	const end = '-----END PRIVATE KEY-----';
	for (const piece of [end, `${'A'.repeat(30_000)}\n`, `AAAA${end}`, '\\n', 'a ', '-----BEGIN ']) {
		const isSlow = (): boolean => {
			const startedMs = performance.now();
			redactKeys(`${piece.repeat(2_000_000 / piece.length)}${end}`);
			return performance.now() - startedMs >= 2000;
		};
		// A machine that was given no time for a while is slow once, a pattern each time.
		t.false(isSlow() && isSlow() && isSlow(), piece.slice(0, 20));
	}
});

test('lines that come one by one belong to the key until it ends, and not for ever when its end is lost', (t) => {
	const isOfKey = createKeyLines();
	const lines = (keys['ec'] ?? '').trim().split('\n');
	t.deepEqual(
		lines.map((line) => isOfKey(line, 'stb')),
		[false, ...lines.slice(1).map(() => true)],
	);
	t.false(isOfKey('after', 'stb'));
	isOfKey('-----BEGIN PRIVATE KEY-----', 'stb');
	t.false(isOfKey('of another', 'nginx'));
	t.true(isOfKey('MIIE', 'stb'));
	const open = Array.from({length: 1000}, () => isOfKey('on', 'stb')).lastIndexOf(true);
	t.true(open > 0 && open < 500);
	t.false(isOfKey('{"key":"-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----"}', 'stb'));
	t.false(isOfKey('after', 'stb'));
});
