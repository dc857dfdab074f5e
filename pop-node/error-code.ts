export type PopNodeErrorCode =
	/** The headend did not answer, or not in time; try again. */
	| 'POP_NODE_HEADEND_UNREACHABLE'
	/** The headend answered with something that is not its contract. */
	| 'POP_NODE_HEADEND_INVALID'
	/** What was downloaded is not what the catalogue says it is. */
	| 'POP_NODE_OBJECT_CORRUPT'
	/** The headend has another version of it than its catalogue has told us of; what it has now can be pulled. */
	| 'POP_NODE_OBJECT_CHANGED'
	| 'POP_NODE_OBJECT_TOO_LARGE'
	/** Running downloads hold the room; ask again shortly. */
	| 'POP_NODE_STORE_BUSY'
	/** Neither the budget nor the disk has room, and nothing less important can go. */
	| 'POP_NODE_STORE_FULL';
