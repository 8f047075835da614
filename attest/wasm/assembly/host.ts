/** What the host gives this module. */

/** Is called as a stage of a sort begins: its number, the level, and the length of the text there. */
export declare function tell(stage: i32, level: i32, tokens: i32): void;
