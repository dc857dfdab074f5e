import type {FindingBook, Severity} from '#cli/probe/finding.ts';
import type {DamageKind} from '#native/link/damage-kind.ts';
import type {FoundService, FoundTransport, LinkContents} from '#native/link/decapsulator-options.ts';

type Rule = readonly [severity: Severity, clause: string, message: string];

/** What each kind of damage breaks. */
const rules: Readonly<Record<DamageKind, Rule>> = {
	'sync-loss': ['error', 'ISO 13818-1 section 2.4.3.2', 'Synchronisation to packets was lost'],
	'transport-error': ['error', 'ISO 13818-1 section 2.4.3.3', 'Packets that a demodulator marked as damaged'],
	'scrambled-packet': ['warning', 'ISO 13818-1 section 2.4.3.3', 'Scrambled packets'],
	'adaptation-field': ['error', 'ISO 13818-1 section 2.4.3.4', 'An adaptation field is longer than its packet'],
	discontinuity: ['error', 'ISO 13818-1 section 2.4.3.3', 'The continuity counter jumps: packets are missing'],
	'too-many-pids': ['warning', 'ISO 13818-1 section 2.4.3.3', 'More PIDs than are followed'],
	'pointer-field': ['error', 'ISO 13818-1 section 2.4.4.1', 'A pointer field points beyond its packet'],
	'section-length': ['error', 'EN 301 192 section 7.1', 'A section has an impossible length'],
	'section-cut': ['error', 'ISO 13818-1 section 2.4.4', 'A section ends before its length'],
	'section-crc': ['error', 'EN 301 192 section 7.1', 'The CRC-32 of a section is wrong'],
	'section-foreign': ['note', 'EN 301 192 section 7.1', 'Sections of other tables on an MPE PID'],
	'section-scrambled': ['warning', 'EN 301 192 section 7.1', 'Scrambled MPE sections'],
	'section-numbered': ['warning', 'EN 301 192 section 7.1', 'Datagrams in several sections, which Linux does not take'],
	'section-snap': ['error', 'EN 301 192 section 7.1', 'LLC/SNAP that carries no IP'],
	'psi-syntax': ['error', 'ISO 13818-1 section 2.4.4', 'A table contradicts itself'],
	'sndu-length': ['error', 'RFC 4326 section 4.2', 'An SNDU has an impossible length'],
	'sndu-cut': ['error', 'RFC 4326 section 7', 'An SNDU ends before its length'],
	'sndu-crc': ['error', 'RFC 4326 section 4.6', 'The CRC-32 of an SNDU is wrong'],
	'sndu-type': ['note', 'RFC 4326 section 4.4', 'SNDUs that carry no IP'],
	'frame-crc': ['error', 'EN 302 307-1 section 5.1.6', 'The CRC-8 of a BBHEADER is wrong'],
	'frame-length': ['error', 'EN 302 307-1 section 5.1.6', 'DFL is longer than the frame'],
	'frame-cut': ['error', 'EN 302 307-1 section 5.1.6', 'A BBFRAME is shorter than its data field'],
	'frame-gap': ['error', 'TR 102 376', 'BBFRAMEs are missing'],
	'frame-sync': ['error', 'EN 302 307-1 section 5.1.6', 'SYNCD does not point to where a packet begins'],
	'frame-kind': ['warning', 'EN 302 307-1 section 5.1.6', 'BBFRAMEs of a stream that carries neither TS nor GSE'],
	'user-packet-crc': ['error', 'EN 302 307-1 section 5.1.4', 'The CRC-8 of a user packet is wrong'],
	'gse-length': ['error', 'TS 102 606-1 section 4.2', 'A GSE packet has an impossible length'],
	'gse-label': [
		'error',
		'TS 102 606-1 section 4.2',
		'A GSE label that must not be, or is used again without one before',
	],
	'gse-type': ['note', 'TS 102 606-1 section 4.2', 'GSE packets that carry no IP'],
	'gse-orphan': ['error', 'TS 102 606-1 section 4.2', 'GSE fragments without their beginning'],
	'gse-overlap': ['error', 'TS 102 606-1 section 4.2', 'A GSE fragment id was begun again before its end'],
	'gse-total': ['error', 'TS 102 606-1 section 4.2', 'GSE fragments do not add up to their total length'],
	'gse-crc': ['error', 'TS 102 606-1 section 4.2', 'The CRC-32 of a fragmented PDU is wrong'],
	'gse-timeout': ['error', 'TS 102 606-1 section 4.2', 'A fragmented PDU was not finished in time'],
	'gse-room': ['warning', 'TS 102 606-1 section 4.2', 'More or longer PDUs at a time than are put together'],
	'rtp-gap': ['error', 'RFC 3550 section 5.1', 'RTP sequence numbers jump: datagrams are missing'],
	'foreign-datagram': ['note', 'SMPTE 2022-2', 'Datagrams that carry neither packets nor frames'],
	'ip-malformed': ['error', 'RFC 791 section 3.1', 'IP datagrams whose header contradicts their length'],
};

export const judgeDamage = (
	damage: Readonly<Record<DamageKind, number>>,
	{where, findings}: {readonly where: string; readonly findings: FindingBook},
): void => {
	for (const [kind, count] of Object.entries(damage) as readonly [DamageKind, number][]) {
		if (count > 0) {
			const [severity, clause, message] = rules[kind];
			findings.add({severity, clause, where, message}, count);
		}
	}
};

const mpeStreamType = 0x0d;
const mpeBroadcastId = 5;
const nullPid = 0x1fff;

/** The tables of a transport stream that carries NIP. */
export const judgeTables = (
	{carrier, transports}: LinkContents,
	{where, findings}: {readonly where: string; readonly findings: FindingBook},
): void => {
	for (const transport of transports) {
		const place = transport.inputStream === 0xff_ff ? where : `${where} ISI ${transport.inputStream}`;
		const add = (severity: Severity, clause: string, message: string): void =>
			findings.add({severity, clause, where: place, message});
		if (carrier === 'unknown' || transport.pids.every(({pid}) => pid === nullPid)) {
			continue;
		}
		judgePresence(transport, add);
		for (const service of transport.services) {
			judgeService(service, add);
		}
	}
};

type Add = (severity: Severity, clause: string, message: string) => void;

const judgePresence = (transport: FoundTransport, add: Add): void => {
	if (transport.transportStreamId === undefined) {
		add('error', 'ISO 13818-1 section 2.4.4.3', 'There is no program association table');
	}
	if (transport.networkId === undefined) {
		add('warning', 'EN 300 468 section 5.2.1', 'There is no network information table');
	}
	if (transport.originalNetworkId === undefined) {
		add('warning', 'EN 300 468 section 5.2.3', 'There is no service description table');
	}
	if (transport.utcMs === undefined) {
		add('note', 'EN 300 468 section 5.2.5', 'There is no time and date table');
	}
};

const judgeService = ({serviceId, streams}: FoundService, add: Add): void => {
	const carrying = streams.filter(({kind}) => kind !== 'none');
	if (carrying.length > 1) {
		const pids = carrying.map(({pid}) => pid).join(', ');
		add('error', 'TS 103 876 clause 7', `Service ${serviceId} has IP on several PIDs (${pids}); a NIP stream has one`);
	}
	for (const {pid, streamType, dataBroadcastId, kind} of carrying) {
		if (kind === 'mpe' && streamType !== mpeStreamType) {
			add('warning', 'EN 301 192 section 7.2', `MPE on PID ${pid} has stream type ${streamType} and not 13`);
		}
		if (kind === 'mpe' && dataBroadcastId !== mpeBroadcastId) {
			add('warning', 'EN 301 192 section 7.2.1', `MPE on PID ${pid} has no data_broadcast_descriptor of id 5`);
		}
	}
};
