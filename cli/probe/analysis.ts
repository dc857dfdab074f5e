import {FindingBook} from '#cli/probe/finding.ts';
import {judgeDamage, judgeTables} from '#cli/probe/link/judge-link.ts';
import {parseAlc} from '#cli/probe/packet/parse-alc.ts';
import {type Datagram, parseIp} from '#cli/probe/packet/parse-ip.ts';
import {alcProblems} from '#cli/probe/session/judge-session.ts';
import {RateSeries} from '#cli/probe/session/rate-series.ts';
import {SessionTrack} from '#cli/probe/session/session-track.ts';
import {Announcement} from '#cli/probe/signalling/announcement.ts';
import type {DecoderOptions, DecoderResult, LinkContents} from '#native/link/decapsulator-options.ts';
import {type LinkDecoder, openLinkDecoder} from '#native/link/link.ts';

const sessionsMax = 1024;
/** Groups and ports that carry packets or frames; each has a decoder. */
const carriersMax = 32;
const otherEndpointsMax = 1024;
/** Datagrams are dated by the write that completed them: a millisecond of a transponder. */
const portionBytes = 8 * 1024;

/** First bytes by which transports over UDP are told from each other; LCT's first nibble is its version. */
const tsSync = 0x47;
const modeAdaptation = 0xb8;
const rtpVersion = 2;
const transportPayloadType = 33;

export type CarrierFacts = {
	readonly where: string;
	readonly contents: LinkContents;
	readonly stats: ReturnType<LinkDecoder['stats']>;
};

/** Follows everything that a source brings, layer by layer. */
export class Analysis {
	readonly findings = new FindingBook();
	readonly announcement = new Announcement(this.findings);
	readonly total = new RateSeries();
	readonly #sessions = new Map<string, SessionTrack>();
	readonly #carriers = new Map<string, LinkDecoder>();
	readonly #others = new Map<string, {packets: number; bytes: number}>();
	#udpDatagrams = 0;
	#ipBytes = 0;
	#firstMs: number | undefined;
	#lastMs = 0;

	/** Bytes of a carrier that is not in datagrams: a file of packets or frames, or what a receiver demodulated. */
	takeStream(bytes: Buffer, timeOf: (position: number) => number, options: Omit<DecoderOptions, 'input'> = {}): void {
		const decoder = this.#carrier('the stream', {input: 'stream', ...options});
		for (let at = 0; decoder !== undefined && at < bytes.length; at += portionBytes) {
			this.#takeDecoded(decoder.write(bytes.subarray(at, at + portionBytes)), timeOf);
		}
	}

	takeIp(bytes: Buffer, timeMs: number): void {
		const parsed = parseIp(bytes, timeMs);
		switch (parsed.kind) {
			case 'udp':
				this.takeDatagram(parsed.datagram);
				break;
			case 'fragment':
				this.#complain('warning', 'RFC 791 section 3.2', 'Fragmented IP datagrams, which multicast receivers lose');
				break;
			case 'malformed':
				this.#complain('error', 'RFC 791 section 3.1', 'IP datagrams whose header contradicts their length');
				break;
			case 'other':
				break;
		}
	}

	takeDatagram(datagram: Datagram): void {
		const {payload, group, port, timeMs, wireBytes} = datagram;
		this.#udpDatagrams += 1;
		this.#ipBytes += wireBytes;
		this.#firstMs ??= timeMs;
		this.#lastMs = Math.max(this.#lastMs, timeMs);
		this.total.add(timeMs, wireBytes);
		const endpoint = `${group}:${port}`;
		if (isCarrier(payload)) {
			const result = this.#carrier(endpoint, {input: 'datagrams'})?.write(payload, {timeMs});
			if (result !== undefined) {
				this.#takeDecoded(result, (_position, time) => time);
			}
			return;
		}
		const parsed = parseAlc(payload);
		if ('packet' in parsed) {
			const session = this.#session(datagram, parsed.packet.tsi);
			session?.take(parsed.packet, {timeMs, wireBytes});
			if (datagram.source !== undefined) {
				session?.sources.add(datagram.source);
			}
		} else if ([...this.#sessions.values()].some(({key}) => key.group === group && key.port === port)) {
			const {clause, message} = alcProblems[parsed.problem];
			this.findings.add({severity: 'error', clause, where: endpoint, message});
		} else {
			this.#takeOther(endpoint, wireBytes);
		}
	}

	/** Judges what only the whole shows. */
	finish(): void {
		for (const session of this.#sessions.values()) {
			session.finish();
			if (session.sources.size > 1) {
				this.findings.add({
					severity: 'warning',
					clause: 'TS 103 876 clause 8.2.2',
					where: session.where,
					message: `The session comes from several sources: ${[...session.sources].slice(0, 4).join(', ')}`,
				});
			}
		}
		if (this.#sessions.size > 0) {
			this.announcement.judge(
				this.sessions.map(({facts}) => {
					const {firstMs, lastMs, bytes} = facts;
					return {...facts, bps: lastMs - firstMs < 1000 ? undefined : (bytes * 8000) / (lastMs - firstMs)};
				}),
				this.#lastMs - (this.#firstMs ?? 0),
			);
		}
		for (const {where, contents, stats} of this.carriers) {
			judgeDamage(stats.damage, {where, findings: this.findings});
			judgeTables(contents, {where, findings: this.findings});
		}
	}

	get sessions(): readonly SessionTrack[] {
		return [...this.#sessions.values()];
	}

	get carriers(): readonly CarrierFacts[] {
		return [...this.#carriers].map(([where, decoder]) => ({
			where,
			contents: decoder.contents(),
			stats: decoder.stats(),
		}));
	}

	get others(): readonly {readonly endpoint: string; readonly packets: number; readonly bytes: number}[] {
		return [...this.#others].map(([endpoint, counts]) => ({endpoint, ...counts}));
	}

	get facts() {
		return {
			datagrams: this.#udpDatagrams,
			ipBytes: this.#ipBytes,
			firstMs: this.#firstMs ?? 0,
			lastMs: this.#lastMs,
		};
	}

	#takeDecoded({datagrams}: DecoderResult, timeOf: (position: number, timeMs: number) => number): void {
		const {bytes, lengths, positions, timesMs} = datagrams;
		let at = 0;
		for (const [index, length] of lengths.entries()) {
			this.takeIp(bytes.subarray(at, at + length), timeOf(positions[index] ?? 0, timesMs[index] ?? 0));
			at += length;
		}
	}

	#session({group, port}: Datagram, tsi: number): SessionTrack | undefined {
		const name = `${group} ${port} ${tsi}`;
		const known = this.#sessions.get(name);
		if (known !== undefined || this.#sessions.size >= sessionsMax) {
			return known;
		}
		const session: SessionTrack = new SessionTrack({
			key: {group, port, tsi},
			findings: this.findings,
			onDocument: (document) => this.announcement.take(document, session.where),
		});
		this.#sessions.set(name, session);
		return session;
	}

	#carrier(where: string, options: DecoderOptions): LinkDecoder | undefined {
		const known = this.#carriers.get(where);
		if (known !== undefined || this.#carriers.size >= carriersMax) {
			return known;
		}
		const decoder = openLinkDecoder(options);
		this.#carriers.set(where, decoder);
		return decoder;
	}

	#takeOther(endpoint: string, bytes: number): void {
		const counts = this.#others.get(endpoint) ?? {packets: 0, bytes: 0};
		counts.packets += 1;
		counts.bytes += bytes;
		if (this.#others.size < otherEndpointsMax) {
			this.#others.set(endpoint, counts);
		}
	}

	#complain(severity: 'error' | 'warning', clause: string, message: string): void {
		this.findings.add({severity, clause, where: 'IP', message});
	}
}

const isCarrier = (payload: Buffer): boolean => {
	const [first = 0, second = 0] = payload;
	const isRtp = first >> 6 === rtpVersion && (second & 0x7f) === transportPayloadType;
	return first === tsSync || isRtp || first === modeAdaptation;
};
