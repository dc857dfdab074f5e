import 'reflect-metadata';

import {createHash} from 'node:crypto';
import {
	AuthorityKeyIdentifierExtension,
	Extension,
	PemConverter,
	X509Crl,
	X509CrlGenerator,
	X509CrlReason,
} from '@peculiar/x509';
import {fromBER, Integer, type Sequence} from 'asn1js';
import test from 'ava';
import {keyAlgorithm, makeKey} from '#ota/fleet/authority/authority-key.ts';
import {makeRoot} from '#ota/fleet/authority/make-certificate.ts';
import {makeRevocationList, type RevokedEntry, toRevocationReason} from '#ota/fleet/authority/revocation-list.ts';

const thisUpdateMs = Date.UTC(2026, 10, 21, 7, 5, 9);
const names = ['keyCompromise', 'superseded', 'cessationOfOperation'] as const;

const makeIssuer = async () => {
	const keys = await makeKey();
	const subject = [{CN: ['Überwachung']}, {O: ['fleet']}];
	const certificate = await makeRoot({subject, keys, pathLength: 1, nowMs: thisUpdateMs, lifeMs: 1e9});
	return {keys, issuer: {certificate, privateKey: keys.privateKey}};
};

/** What is signed, of a list in DER. */
const signedPart = (list: ArrayBuffer): string => {
	const [part] = (fromBER(list).result as Sequence).valueBlock.value;
	return Buffer.from(part?.valueBeforeDecodeView ?? []).toString('hex');
};

for (const count of [0, 1, 4, 300]) {
	test(`a list of ${count} entries is, byte for byte, what another implementation makes of them`, async (t) => {
		const {keys, issuer} = await makeIssuer();
		const entries = Array.from({length: count}, (_, index): RevokedEntry => {
			// Some begin with a bit that would be a sign, some with zeros, one is of 2050.
			const serial = createHash('sha256').update(String(index)).digest('hex').slice(0, 32);
			return {
				serial: index % 5 === 3 ? `00${serial.slice(2)}` : serial,
				atMs: index === 2 ? Date.UTC(2050, 0, 1) : thisUpdateMs - index * 1000,
				reason: names[index % names.length] ?? 'unspecified',
			};
		});
		for (const number of [1, 128, 70_000]) {
			const times = {thisUpdateMs, nextUpdateMs: Date.UTC(2049, 11, 31, 23, 59, 59)};
			const pem = await makeRevocationList({issuer, number, ...times, entries});
			const [{rawData} = {rawData: new ArrayBuffer(0)}] = PemConverter.decodeWithHeaders(pem);
			const expected = await X509CrlGenerator.create({
				issuer: issuer.certificate.subjectName,
				thisUpdate: new Date(times.thisUpdateMs),
				nextUpdate: new Date(times.nextUpdateMs),
				signingAlgorithm: keyAlgorithm,
				signingKey: keys.privateKey,
				extensions: [
					await AuthorityKeyIdentifierExtension.create(keys.publicKey),
					new Extension('2.5.29.20', false, new Integer({value: number}).toBER()),
				],
				entries: entries.map(({serial, atMs}, index) => ({
					serialNumber: serial,
					revocationDate: new Date(atMs),
					reason: X509CrlReason[names[index % names.length] ?? 'unspecified'],
				})),
			});
			t.true(signedPart(rawData) === signedPart(expected.rawData));
			t.true(await new X509Crl(rawData).verify({publicKey: keys.publicKey}));
		}
	});
}

test('an entry without a reason has no list of extensions, which may not be empty', async (t) => {
	const {keys, issuer} = await makeIssuer();
	const entries = [{serial: '8042', atMs: thisUpdateMs, reason: 'unspecified'}] as const;
	const pem = await makeRevocationList({issuer, number: 1, thisUpdateMs, nextUpdateMs: thisUpdateMs + 1e9, entries});
	const [{rawData} = {rawData: new ArrayBuffer(0)}] = PemConverter.decodeWithHeaders(pem);
	t.true(signedPart(rawData).includes(`301630140203008042170d${Buffer.from('261121070509Z').toString('hex')}a0`));
	t.true(await new X509Crl(rawData).verify({publicKey: keys.publicKey}));
});

test('a reason that the table does not know is none', (t) => {
	t.is(toRevocationReason('superseded'), 'superseded');
	t.is(toRevocationReason('whatever'), 'unspecified');
	t.is(toRevocationReason(null), 'unspecified');
});
