import {
	createSectionAssembler,
	hasGoodCrc,
	isTable,
	isUsable,
	matches,
	packetBytes,
	pidOf,
} from './section-assembler.ts';
import type {SectionRequest} from './tuner.ts';

/** Takes bytes of a transport stream and pushes what is asked for. */
export type StreamFilter = (bytes: Buffer) => void;

const nothing = Buffer.alloc(0);
const syncByte = 0x47;

/** Cuts bytes into packets; a part of one waits for the rest. */
const cutPackets = (onPacket: (packet: Buffer) => void): StreamFilter => {
	let rest = nothing;
	return (bytes) => {
		const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
		let at = 0;
		while (at + packetBytes <= all.length) {
			if (all[at] !== syncByte) {
				// Until the next byte that may begin one.
				const next = all.indexOf(syncByte, at + 1);
				at = next < 0 ? all.length : next;
			} else {
				onPacket(all.subarray(at, at + packetBytes));
				at += packetBytes;
			}
		}
		rest = Buffer.from(all.subarray(at));
	};
};

/** Whole packets of some PIDs. */
export const packetsOf = (pids: readonly number[], push: (bytes: Buffer) => void): StreamFilter => {
	const wanted = new Set(pids);
	return cutPackets((packet) => {
		if (wanted.has(pidOf(packet))) {
			push(packet);
		}
	});
};

/** The sections that a request wants. */
export const sectionsOf = (
	{pid, value = nothing, mask, checkCrc = true}: Omit<SectionRequest, 'signal'>,
	push: (section: Buffer) => void,
): StreamFilter => {
	const filter = mask ?? new Uint8Array(value.length).fill(0xff);
	const assembler = createSectionAssembler((section) => {
		if (matches(section, value, filter) && !(checkCrc && isTable(section) && !hasGoodCrc(section))) {
			push(section);
		}
	});
	return cutPackets((packet) => {
		if (isUsable(packet) && pidOf(packet) === pid) {
			assembler.add(packet);
		}
	});
};
