import {announcementEndpoint, type GatewaySession, signallingUris} from '#appliance/contract/gateway-session.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import {childOf, childrenOf, childText, parseXml, requireRoot} from '#appliance/xml/parse-xml.ts';
import type {FindingBook} from '#cli/probe/finding.ts';
import type {SessionKey, SignallingDocument} from '#cli/probe/session/session-track.ts';
import {parseGatewayConfiguration} from '#stb/signalling/parse-gateway-configuration.ts';
import {type NetworkInformation, parseNetworkInformation} from '#stb/signalling/parse-network-information.ts';
import {type ListedService, parseServiceList} from '#stb/signalling/parse-service-list.ts';
import type {SignallingProblem} from '#stb/signalling/signalling-error.ts';

/** A stream's services by the Service Information File. */
export type BroadcastStream = {
	readonly networkId: string;
	readonly carrierId: string;
	readonly linkId: string;
	readonly serviceId: string;
	readonly uris: readonly string[];
};

/** Signalling comes every few seconds; what did not come for so long is not there. */
const patienceMs = 15_000;
const streamsMax = 256;
const urisMax = 2000;
const uriCharactersMax = 1024;

/** What DVB-NIP's announcement says, document by document. */
export class Announcement {
	readonly #findings: FindingBook;
	readonly #seen = new Set<string>();
	readonly #sessions = new Map<string, GatewaySession>();
	#network: NetworkInformation | undefined;
	#streams: readonly BroadcastStream[] = [];
	#services: readonly ListedService[] = [];

	constructor(findings: FindingBook) {
		this.#findings = findings;
	}

	take(document: SignallingDocument, where: string): void {
		const {uri, contentType, bytes} = document;
		const text = bytes.toString('utf8');
		this.#seen.add(uri);
		try {
			if (uri === signallingUris.bootstrap || uri === signallingUris.gatewayConfiguration) {
				const parsed = parseGatewayConfiguration(text);
				for (const session of parsed.sessions) {
					this.#sessions.set(keyOf(session.endpoint), session);
				}
				this.#tell(parsed.problems, uri, 'TS 103 769 clause 10.2');
			} else if (uri === signallingUris.networkInformation) {
				this.#network = parseNetworkInformation(text);
				this.#tell(this.#network.problems, uri, 'TS 103 876 clause 8.3');
			} else if (uri === signallingUris.serviceInformation) {
				this.#streams = readServiceInformation(text);
			} else if (contentType.startsWith('application/vnd.dvb.dvbisl')) {
				const parsed = parseServiceList(text);
				this.#services = parsed.services;
				this.#tell(parsed.problems, uri, 'TS 103 770 clause 5');
			}
		} catch (error) {
			const message = `${uri} cannot be read: ${errorMessage(error)}`;
			this.#findings.add({severity: 'error', clause: 'TS 103 876 clause 8', where, message});
		}
	}

	get network(): NetworkInformation | undefined {
		return this.#network;
	}

	get streams(): readonly BroadcastStream[] {
		return this.#streams;
	}

	get services(): readonly ListedService[] {
		return this.#services;
	}

	/** What it lists, to listen to as well. */
	get endpoints(): readonly GatewaySession['endpoint'][] {
		return [...this.#sessions.values()].map(({endpoint}) => endpoint);
	}

	announces({group, port, tsi}: SessionKey): boolean {
		return (
			isAnnouncement({group, port, tsi}) ||
			this.#sessions.has(keyOf({group, port, tsi})) ||
			this.#sessions.has(keyOf({group, port}))
		);
	}

	/** What the announcement leaves open, and where it differs from what is on air. */
	judge(heard: readonly (SessionKey & {readonly bps: number | undefined})[], spanMs: number): void {
		const {group, port, tsi} = announcementEndpoint;
		const where = `${group}:${port} TSI ${tsi}`;
		const add = (severity: 'error' | 'warning', clause: string, message: string): void =>
			this.#findings.add({severity, clause, where, message});
		if (!heard.some(isAnnouncement)) {
			add('warning', 'TS 103 876 clause 8.2.2', 'No announcement was heard; this is no NIP stream, or no whole one');
			return;
		}
		for (const [uri, name] of [
			[signallingUris.bootstrap, 'bootstrap'],
			[signallingUris.networkInformation, 'Network Information File'],
			[signallingUris.serviceInformation, 'Service Information File'],
		] as const) {
			if (!this.#seen.has(uri)) {
				add(
					spanMs < patienceMs ? 'warning' : 'error',
					'TS 103 876 clause 8',
					`The ${name} did not come whole while it was listened to`,
				);
			}
		}
		for (const session of this.#sessions.values()) {
			const {endpoint, bitrateMaxBps} = session;
			const found = heard.filter((each) => isSame(each, endpoint));
			const name = `${endpoint.group}:${endpoint.port} TSI ${endpoint.tsi ?? 'any'}`;
			if (found.length === 0) {
				add('warning', 'TS 103 769 clause 10.2', `The announced session ${name} is silent`);
			}
			const bps = Math.max(0, ...found.map((each) => each.bps ?? 0));
			if (bitrateMaxBps > 0 && bps > bitrateMaxBps) {
				const message = `The session ${name} sends more than its announced BitRate@maximum of ${bitrateMaxBps} bit/s`;
				add('error', 'TS 103 769 clause 10.2.3', message);
			}
		}
		for (const each of heard.filter((session) => !this.announces(session))) {
			const name = `${each.group}:${each.port} TSI ${each.tsi}`;
			add('warning', 'TS 103 769 clause 10.2', `The session ${name} is on air and not announced`);
		}
	}

	#tell(problems: readonly SignallingProblem[], uri: string, clause: string): void {
		for (const {where, message} of problems) {
			this.#findings.add({severity: 'warning', clause, where: `${uri} ${where}`, message});
		}
	}
}

const keyOf = ({
	group,
	port,
	tsi,
}: {
	readonly group: string;
	readonly port: number;
	readonly tsi?: number | undefined;
}) => `${group.toLowerCase()} ${port} ${tsi ?? ''}`;

const isSame = (heard: SessionKey, {group, port, tsi}: GatewaySession['endpoint']): boolean =>
	keyOf({group: heard.group, port: heard.port}) === keyOf({group, port}) && (tsi === undefined || tsi === heard.tsi);

const isAnnouncement = ({port, tsi, group}: SessionKey): boolean =>
	tsi === announcementEndpoint.tsi &&
	port === announcementEndpoint.port &&
	(group === announcementEndpoint.group || /^ff0[\da-f]::12d$/u.test(group.toLowerCase()));

const readServiceInformation = (xml: string): readonly BroadcastStream[] =>
	childrenOf(requireRoot(parseXml(xml), 'ServiceInformationFile'), 'BroadcastMediaStream')
		.slice(0, streamsMax)
		.map((node) => ({
			networkId: childText(node, 'NIPNetworkID') ?? '',
			carrierId: childText(node, 'NIPCarrierID') ?? '',
			linkId: childText(node, 'NIPLinkID') ?? '',
			serviceId: childText(node, 'NIPServiceID') ?? '',
			uris: childrenOf(childOf(node, 'BroadcastMedia'), 'URI')
				.slice(0, urisMax)
				.map(({text}) => text.slice(0, uriCharactersMax)),
		}));
