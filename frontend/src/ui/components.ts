// The building blocks of every page. Each is a plain function over native elements, so that keyboard and
// screen readers work as they do everywhere.
export * from "./buttons";
export * from "./dialog";
export * from "./form-dialog";
export * from "./feedback";
export * from "./fields";
export * from "./icons";
export * from "./menu";
export * from "./range";
export * from "./shown-once";
export * from "./table";
export * from "./tabs";
