import test from 'ava';
import {
	readDescriptors,
	readNetworkCarriers,
	readProgramPids,
	readProgramStreams,
	readServiceNames,
	readTableSection,
} from '#native/dvb/psi.ts';
import {makeTableSection} from '#test/helper/make-transport-packets.ts';

const networkOf = (...descriptors: readonly Buffer[]): Buffer => {
	const all = Buffer.concat(descriptors);
	const head = Buffer.alloc(10);
	head.writeUInt16BE(0xf000, 0);
	head.writeUInt16BE(0xf000 | (all.length + 6), 2);
	head.writeUInt16BE(1001, 4);
	head.writeUInt16BE(0xf000 | all.length, 8);
	return Buffer.concat([head, all]);
};

test('the satellite descriptor’s digits are those that EN 300 468 gives as examples', (t) => {
	// 011,75725 GHz; 019,2° east; 027,4500 Msymbol/s (section 6.2.13.2).
	const descriptor = Buffer.from('430b011757250192ae02745003', 'hex');
	t.deepEqual(readNetworkCarriers(networkOf(descriptor)), [
		{
			system: 'DVB-S2',
			frequencyKhz: 11_757_250,
			polarization: 'vertical',
			symbolRate: 27_450_000,
			modulation: '8PSK',
			codeRate: '3/4',
			rollOff: '0.25',
		},
	]);
	const old = Buffer.from('430b0125227501928102200004', 'hex');
	t.like(readNetworkCarriers(networkOf(old))[0], {
		...{system: 'DVB-S', frequencyKhz: 12_522_750, polarization: 'horizontal', symbolRate: 22_000_000},
		...{modulation: 'QPSK', codeRate: '5/6'},
	});
});

test('programmes, their streams and names are read, programme 0 is the network’s', (t) => {
	t.deepEqual(
		[...readProgramPids(Buffer.from('0000e0101389e10013ffff01', 'hex'))],
		[
			[0x1389, 0x100],
			[0x13ff, 0x1f01],
		],
	);
	const streams = readProgramStreams(Buffer.from(`e1fff00212000de101f0036601050fe102f000`, 'hex'));
	t.deepEqual(streams, [
		{streamType: 0x0d, pid: 0x101, descriptors: [{tag: 0x66, bytes: Buffer.of(5)}]},
		{streamType: 0x0f, pid: 0x102, descriptors: []},
	]);
	const name = Buffer.from('\u0015Köln');
	const provider = Buffer.from('Edge');
	const service = Buffer.concat([
		Buffer.of(0x48, name.length + provider.length + 3, 0x0c, provider.length),
		provider,
		Buffer.of(name.length),
		name,
	]);
	const sdt = Buffer.concat([Buffer.of(0, 1, 0xff, 0x13, 0x89, 0xfc, 0x80, service.length), service]);
	t.deepEqual(readServiceNames(sdt), [{serviceId: 5001, name: 'Köln', provider: 'Edge'}]);
});

test('what is cut off anywhere is read as far as it goes, and never thrown at anybody', (t) => {
	const section = makeTableSection({tableId: 0x40, extension: 3, version: 7}, networkOf(Buffer.alloc(40, 0x43)));
	for (let length = 0; length < section.length; length += 1) {
		const table = readTableSection(section.subarray(0, length));
		for (const read of [readProgramPids, readProgramStreams, readServiceNames, readNetworkCarriers, readDescriptors]) {
			t.notThrows(() => read(table?.body ?? section.subarray(0, length)));
		}
	}
	t.like(readTableSection(section), {tableId: 0x40, extension: 3, version: 7, current: true, number: 0, last: 0});
});
