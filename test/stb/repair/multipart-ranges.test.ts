import test from 'ava';
import {multipartBoundary, parseMultipartRanges} from '#stb/repair/multipart-ranges.ts';

const part = (range: string, bytes: string): string =>
	`--xyz\r\nContent-Type: video/mp4\r\nContent-Range: ${range}\r\n\r\n${bytes}\r\n`;

test('parts are cut by their ranges, even when the boundary occurs inside of one', (t) => {
	const body = Buffer.from(`${part('bytes 2-10/100', 'ab--xyz\r\n')}${part('bytes 50-51/100', 'cd')}--xyz--\r\n`);
	const parts = parseMultipartRanges(body, 'xyz').map(({offset, bytes}) => [offset, Buffer.from(bytes).toString()]);
	t.deepEqual(parts, [
		[2, 'ab--xyz\r\n'],
		[50, 'cd'],
	]);
});

test('the boundary is read with and without quotes', (t) => {
	t.is(multipartBoundary('multipart/byteranges; boundary=abc'), 'abc');
	t.is(multipartBoundary('Multipart/Byteranges; charset=x; boundary="a b"'), 'a b');
	t.is(multipartBoundary('video/mp4'), undefined);
	t.is(multipartBoundary(null), undefined);
});

for (const [what, body] of [
	['a part without a head', '--xyz\r\nContent-Range: bytes 0-1/2'],
	['a range that makes no sense', part('bytes 9-2/100', 'ab')],
	['a part that is cut short', '--xyz\r\nContent-Range: bytes 0-99/100\r\n\r\nab'],
] as const) {
	test(`refused: ${what}`, (t) => {
		t.throws(() => parseMultipartRanges(Buffer.from(body), 'xyz'), {code: 'STB_REPAIR_RESPONSE_INVALID'});
	});
}
