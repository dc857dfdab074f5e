import {createHash, randomBytes} from 'node:crypto';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {plainFec} from '#test/helper/flute-programme.ts';
import {withFluteReceiver} from '#test/helper/with-flute-receiver.ts';
import {withFluteSender} from '#test/helper/with-flute-sender.ts';

const identity = Buffer.from(randomBytes(3000).toString('hex'));
const md5Of = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('base64');

/** One object, with an FDT that has these attributes; answers whether the receiver took it. */
const isTaken = test.macro(
	async (t, options: {readonly bytes: Buffer; readonly attributes: string; readonly taken: boolean}) => {
		const {bytes, attributes, taken} = options;
		const {sender} = withFluteSender(t);
		const {endpoint, until, all} = await withFluteReceiver(t);
		const fdt = `<FDT-Instance xmlns="urn:IETF:metadata:2005:FLUTE:FDT" Expires="4294967295" FEC-OTI-FEC-Encoding-ID="0" FEC-OTI-Encoding-Symbol-Length="${plainFec.symbolBytes}" FEC-OTI-Maximum-Source-Block-Length="${plainFec.sourceBlockSymbolsMax}"><File TOI="1" Content-Location="object" Transfer-Length="${bytes.length}" ${attributes}/></FDT-Instance>`;
		const common = {lane: 'main', destination: endpoint, tsi: 1, fec: plainFec};
		const source = {kind: 'bytes', bytes: Buffer.from(fdt)} as const;
		sender.enqueue({...common, toi: 0, source, fdt: {instanceId: 1, version: 1}});
		sender.enqueue({...common, toi: 1, source: {kind: 'bytes', bytes}, closeObject: true});
		// What a digest refuses is whole no longer, and asked for anew.
		const refused = () => all('ended').some(({missingBytes}) => missingBytes === bytes.length);
		await until('taken or refused', () => all('complete').length > 0 || refused());
		t.is(all('complete').length, taken ? 1 : 0);
	},
);

test('an object whose MD5 is right is taken', isTaken, {
	bytes: identity,
	attributes: `Content-MD5="${md5Of(identity)}"`,
	taken: true,
});
test('an object whose MD5 is wrong is refused', isTaken, {
	bytes: identity,
	attributes: `Content-MD5="${md5Of(Buffer.from('another'))}"`,
	taken: false,
});
test('an encoded object is taken with the MD5 of its decoded bytes', isTaken, {
	bytes: gzipSync(identity),
	attributes: `Content-Encoding="gzip" Content-MD5="${md5Of(identity)}"`,
	taken: true,
});
test('an encoded object whose SHA-256 digest is wrong is refused', isTaken, {
	bytes: gzipSync(identity),
	attributes: `Content-Encoding="gzip" Content-Digest="sha-256=:${createHash('sha256').update(identity).digest('base64')}:"`,
	taken: false,
});
