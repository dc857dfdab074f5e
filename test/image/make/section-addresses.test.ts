import {execFileSync} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {sectionArguments} from '#image/make/section-addresses.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const peOffset = 0x40;
const optionalOffset = peOffset + 24;
const optionalBytes = 112;
const base = 0x1_4df0_0000n;
const alignment = 0x1000;
const textBytes = 0x1234;

/** The smallest EFI program that binutils take: one section of code, of which nothing runs. */
const makeStub = (): Buffer => {
	const stub = Buffer.alloc(0x600);
	stub.write('MZ', 0);
	stub.writeUInt32LE(peOffset, 0x3c);
	stub.write('PE\0\0', peOffset);
	stub.writeUInt16LE(0x8664, peOffset + 4);
	stub.writeUInt16LE(1, peOffset + 6);
	stub.writeUInt16LE(optionalBytes, peOffset + 20);
	stub.writeUInt16LE(0x22, peOffset + 22);
	stub.writeUInt16LE(0x20b, optionalOffset);
	stub.writeUInt32LE(0x1000, optionalOffset + 16);
	stub.writeBigUInt64LE(base, optionalOffset + 24);
	stub.writeUInt32LE(alignment, optionalOffset + 32);
	stub.writeUInt32LE(0x200, optionalOffset + 36);
	stub.writeUInt32LE(0x3000, optionalOffset + 56);
	stub.writeUInt32LE(0x400, optionalOffset + 60);
	stub.writeUInt16LE(10, optionalOffset + 68);
	const section = optionalOffset + optionalBytes;
	stub.write('.text', section);
	stub.writeUInt32LE(textBytes, section + 8);
	stub.writeUInt32LE(0x1000, section + 12);
	stub.writeUInt32LE(0x200, section + 16);
	stub.writeUInt32LE(0x400, section + 20);
	stub.writeUInt32LE(0x6000_0020, section + 36);
	return stub;
};

test('sections come behind the stub’s own and behind each other, aligned', (t) => {
	const sections = [
		{name: '.cmdline', file: '/a', bytes: 1},
		{name: '.initrd', file: '/b', bytes: 0x1000},
		{name: '.linux', file: '/c', bytes: 0x1001},
		{name: '.extra', file: '/d', bytes: 0},
	];
	const addresses = sectionArguments(makeStub(), sections)
		.filter((argument) => argument.includes('=0x'))
		.map((argument) => BigInt(argument.slice(argument.indexOf('=') + 1)) - base);
	t.deepEqual(addresses, [0x3000n, 0x4000n, 0x5000n, 0x7000n]);
});

test('objcopy puts them where it is told, and none lies over another', async (t) => {
	const directory = await withDirectory(t);
	const file = (name: string): string => path.join(directory, name);
	const sections = [
		{name: '.cmdline', file: file('cmdline'), bytes: 100},
		{name: '.linux', file: file('linux'), bytes: 50_000},
	];
	await writeFile(file('stub'), makeStub());
	for (const section of sections) {
		await writeFile(section.file, Buffer.alloc(section.bytes, section.name));
	}
	execFileSync('objcopy', [...sectionArguments(makeStub(), sections), file('stub'), file('kernel')], {stdio: 'pipe'});
	const listed = execFileSync('objdump', ['--section-headers', file('kernel')], {encoding: 'utf8'});
	const ranges = [...listed.matchAll(/^\s+\d+ (\.\w+)\s+([0-9a-f]+)\s+([0-9a-f]+)/gmu)].map(([, name, size, at]) => ({
		name,
		start: BigInt(`0x${at}`),
		end: BigInt(`0x${at}`) + BigInt(`0x${size}`),
	}));
	t.deepEqual(
		ranges.map(({name}) => name),
		['.text', '.cmdline', '.linux'],
	);
	for (const [index, range] of ranges.entries()) {
		t.is(range.start % BigInt(alignment), 0n);
		t.true(index === 0 || range.start >= (ranges[index - 1]?.end ?? 0n), `${range.name} lies over what is before it`);
	}
});

const changed = (change: (stub: Buffer) => void): Buffer => {
	const stub = makeStub();
	change(stub);
	return stub;
};

const garbage: Readonly<Record<string, Buffer>> = {
	'nothing at all': Buffer.alloc(0),
	'less than a header': Buffer.from('MZ'),
	'a script': Buffer.from('#!/bin/sh\n'.repeat(100)),
	zeroes: Buffer.alloc(4096),
	ones: Buffer.alloc(4096, 0xff),
	'a header that lies behind the end': changed((stub) => stub.writeUInt32LE(0x7fff_ffff, 0x3c)),
	'PE32, of 32 bits': changed((stub) => stub.writeUInt16LE(0x10b, optionalOffset)),
	'an alignment of zero': changed((stub) => stub.writeUInt32LE(0, optionalOffset + 32)),
	'an alignment of no power of two': changed((stub) => stub.writeUInt32LE(3, optionalOffset + 32)),
	'more sections than bytes': changed((stub) => stub.writeUInt16LE(0xffff, peOffset + 6)),
	'an optional header longer than the file': changed((stub) => stub.writeUInt16LE(0xffff, peOffset + 20)),
};

for (const [name, stub] of Object.entries(garbage)) {
	test(`is refused: ${name}`, (t) => {
		t.throws(() => sectionArguments(stub, []), {code: 'IMAGE_STUB_INVALID'});
	});
}

test('a stub cut anywhere within its headers is refused', (t) => {
	const headersEnd = optionalOffset + optionalBytes + 40;
	for (let length = 0; length < headersEnd; length += 1) {
		t.throws(() => sectionArguments(makeStub().subarray(0, length), []), {code: 'IMAGE_STUB_INVALID'});
	}
	t.notThrows(() => sectionArguments(makeStub().subarray(0, headersEnd), []));
});
