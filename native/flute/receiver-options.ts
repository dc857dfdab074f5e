import type {FluteEvent} from './receiver-event.ts';

/** A multicast group and port, and which sessions of it are wanted. */
export type FluteEndpoint = {
	readonly group: string;
	readonly port: number;
	/** Source-specific join (RFC 4607); any source by default. */
	readonly source?: string;
	/** An address of the interface to join on, or its name; the routing table's choice by default. */
	readonly interfaceAddress?: string;
	/** Transport session identifiers that are taken; all by default. */
	readonly tsis?: readonly number[];
	/** `objectIdleMs` of these sessions (TS 103 769: transportObjectReceptionTimeout); the receiver's own by default. */
	readonly objectIdleMs?: number;
};

export type FluteReceiverLimits = {
	/** A larger object is given up at once, with NATIVE_FLUTE_TOO_LARGE. Default 8 GiB. */
	readonly objectBytesMax: number;
	/** Objects that have a file and are not complete. Default 16384; further ones wait for their next transmission. */
	readonly objectsOpenMax: number;
	/** Sum of their sizes. Default 16 GiB. */
	readonly openBytesMax: number;
	/** Packets of objects that no FDT has described yet. Default 32 MiB. */
	readonly unknownBytesMax: number;
	/** One FDT instance, compressed and uncompressed. Default 4 MiB. */
	readonly fdtBytesMax: number;
	/** Repair symbols kept until their block can be decoded. Default 64 MiB. */
	readonly repairSymbolBytesMax: number;
	/** Asked of the kernel per socket. Default 16 MiB. */
	readonly receiveBufferBytes: number;
};

export type FluteReceiverOptions = {
	/** Partial files are `<directory>/<id>.part`; it must exist, and belong to this receiver alone. */
	readonly directory: string;
	readonly endpoints?: readonly FluteEndpoint[];
	readonly limits?: Partial<FluteReceiverLimits>;
	/** No packet of a begun object for so long means that its transmission has ended. Default 2000. */
	readonly objectIdleMs?: number;
	/** How often at most an object's progress is told. Default 250. */
	readonly progressIntervalMs?: number;
	readonly onEvents: (events: readonly FluteEvent[]) => void;
};

/** Counts since the receiver was opened, and what is held now. */
export type FluteReceiverStats = {
	readonly packets: number;
	readonly bytes: number;
	/** Datagrams that the kernel had no room for. */
	readonly kernelDrops: number;
	readonly malformedPackets: number;
	/** Of sessions that are not wanted. */
	readonly foreignPackets: number;
	/** Of objects whose FEC or length nobody has told. */
	readonly unsupportedPackets: number;
	/** Symbols that were there already, or whose object is complete. */
	readonly lateSymbols: number;
	/** Symbols of objects for which a limit left no room. */
	readonly refusedSymbols: number;
	readonly fdtInstances: number;
	/** FDT instances that are damaged, not XML, or over a limit. */
	readonly fdtRefused: number;
	/** FDT instances whose body changed under their id. */
	readonly fdtChanged: number;
	readonly fdtExpired: number;
	readonly fecRecoveredBytes: number;
	readonly objectsOpen: number;
	readonly openBytes: number;
	readonly unknownBytes: number;
	/** Packets of undescribed objects that were dropped for newer ones. */
	readonly unknownDropped: number;
	readonly objectsComplete: number;
	readonly objectsGivenUp: number;
};
