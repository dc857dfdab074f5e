import test from 'ava';
import {
	createSectionAssembler,
	hasGoodCrc,
	isUsable,
	matches,
	packetBytes,
	pidOf,
} from '#native/dvb/section-assembler.ts';
import {makeTableSection, makeTransportPackets} from '#test/helper/make-transport-packets.ts';

const sectionOf = (length: number, extension = 1): Buffer =>
	makeTableSection({tableId: 0x42, extension}, Buffer.alloc(length - 12, extension));

const assemble = (packets: readonly Buffer[]): readonly Buffer[] => {
	const sections: Buffer[] = [];
	const assembler = createSectionAssembler((section) => sections.push(section));
	for (const packet of packets) {
		assembler.add(packet);
	}
	return sections;
};

const packetsOf = (bytes: Buffer): Buffer[] =>
	Array.from({length: bytes.length / packetBytes}, (_, index) =>
		bytes.subarray(index * packetBytes, (index + 1) * packetBytes),
	);

test('sections of every length around a packet come out as they went in', (t) => {
	for (const length of [12, 100, 182, 183, 184, 185, 366, 367, 368, 1024, 4096]) {
		const sections = [sectionOf(length, 1), sectionOf(length, 2)];
		t.deepEqual(assemble(packetsOf(makeTransportPackets(17, sections))), sections, `${length} bytes`);
	}
});

test('sections behind each other in one packet, and one that ends before the pointer, are told apart', (t) => {
	const [first, second, third] = [sectionOf(200, 1), sectionOf(20, 2), sectionOf(30, 3)];
	const tail = first.subarray(183);
	const packets = packetsOf(makeTransportPackets(17, [first]));
	const joined = packets[1];
	t.truthy(joined);
	joined?.writeUInt16BE(0x4000 | 17, 1);
	Buffer.concat([Buffer.of(tail.length), tail, second, third]).copy(joined ?? Buffer.alloc(0), 4);
	t.deepEqual(assemble(packets), [first, second, third]);
});

test('a lost packet costs its section and no other', (t) => {
	const packets = packetsOf(makeTransportPackets(17, [sectionOf(600, 1), sectionOf(600, 2)]));
	t.deepEqual(assemble(packets.filter((_, index) => index !== 1)), [sectionOf(600, 2)]);
});

test('a packet that is sent twice counts once; one that is damaged or scrambled not at all', (t) => {
	const section = sectionOf(300);
	const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = packetsOf(makeTransportPackets(17, [section]));
	t.deepEqual(assemble([first, first, second, second]), [section]);
	for (const [at, bits] of [
		[1, 0x80],
		[3, 0x80],
		[3, 0x40],
		[0, 0x01],
	] as const) {
		const bad = Buffer.from(second);
		bad.writeUInt8((bad[at] ?? 0) ^ bits, at);
		t.false(isUsable(bad));
		t.deepEqual(assemble([first, bad]), []);
	}
	t.is(pidOf(first), 17);
});

test('a CRC is good only for what it was made of', (t) => {
	const section = sectionOf(60);
	t.true(hasGoodCrc(section));
	for (let at = 0; at < section.length; at += 1) {
		const bad = Buffer.from(section);
		bad.writeUInt8((bad[at] ?? 0) ^ 1, at);
		t.false(hasGoodCrc(bad), `byte ${at}`);
	}
});

test('a filter skips the length, as the kernel’s does', (t) => {
	const section = makeTableSection({tableId: 2, extension: 0x1389}, Buffer.alloc(4));
	const any = Uint8Array.of(0xff, 0xff, 0xff);
	t.true(matches(section, Uint8Array.of(2, 0x13, 0x89), any));
	t.false(matches(section, Uint8Array.of(2, 0x13, 0x88), any));
	t.true(matches(section, Uint8Array.of(2, 0x13, 0x88), Uint8Array.of(0xff, 0xff, 0xfe)));
	t.true(matches(section, new Uint8Array(0), new Uint8Array(0)));
});
