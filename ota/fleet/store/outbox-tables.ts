import type {Generated} from 'kysely';

/** What Kafka has not confirmed yet. Rows of one box are in the order in which the box wrote them. */
export type OutboxTable = {
	id: Generated<number>;
	topic: string;
	box: string;
	/** The same however often it is sent: readers drop what they have. */
	message_id: string;
	payload: string;
	size_bytes: number;
	at_ms: number;
};

/** Tables of `ota/fleet/bridge`. */
export type OutboxTables = {outbox: OutboxTable};
